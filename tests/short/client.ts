import { loadFolder } from "./load.ts";

await loadFolder("client");
