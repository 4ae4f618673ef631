import { loadRest } from "./load.ts";

await loadRest();
