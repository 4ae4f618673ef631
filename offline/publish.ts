/**
 * Tries to publish, as a dry run. Where JSR is out of reach, a registry on this machine serves the
 * stand-ins in this folder: so everything of this project's own is checked.
 */
import config from "../deno.json" with { type: "json" };

const FOLDER = "./offline/";
const { imports }: { imports: Record<string, string> } = JSON.parse(
  Deno.readTextFileSync("import_map.json"),
);

/** A package of stand-ins: its version, and the files by what is exported. */
interface StandIn {
  readonly version: string;
  readonly exports: Record<string, string>;
}

/** The stand-ins that are in use, by the package's name. */
function standIns(): Map<string, StandIn> {
  const found = new Map<string, StandIn>();
  for (const [name, specifier] of Object.entries(config.imports)) {
    const version = specifier.split("@").at(-1)!;
    const exported = Object.entries(imports)
      .filter(([each, path]) => `${each}/`.startsWith(`${name}/`) && path.startsWith(FOLDER))
      .map(([each, path]) => [`.${each.slice(name.length)}`, `./${path.slice(FOLDER.length)}`]);
    if (exported.length > 0) found.set(name, { version, exports: Object.fromEntries(exported) });
  }
  return found;
}

/** The file with its size and checksum, as a manifest has it. */
async function manifestEntry(path: string): Promise<[string, unknown]> {
  const bytes = await Deno.readFile(FOLDER + path);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  return [`/${path}`, { size: bytes.length, checksum: `sha256-${hash}` }];
}

/** Answers like the registry. */
async function answer(path: string): Promise<Response> {
  for (const [name, { version, exports }] of standIns()) {
    if (path === `/${name}/meta.json`) {
      return Response.json({ latest: version, versions: { [version]: {} } });
    }
    const files = Object.values(exports).map((each) => each.slice(2));
    if (path === `/${name}/${version}_meta.json`) {
      const manifest = Object.fromEntries(await Promise.all(files.map(manifestEntry)));
      return Response.json({ manifest, exports });
    }
    const file = files.find((each) => path === `/${name}/${version}/${each}`);
    if (file !== undefined) return new Response(await Deno.readFile(FOLDER + file));
  }
  return new Response(undefined, { status: 404 });
}

/** Runs `deno publish`; returns its exit status. */
async function publish(env: Record<string, string>): Promise<number> {
  const args = ["publish", "--dry-run", "--allow-dirty"];
  return (await new Deno.Command(Deno.execPath(), { args, env }).spawn().status).code;
}

let status: number;
if (standIns().size === 0) status = await publish({});
else {
  const registry = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    ({ url }) => answer(new URL(url).pathname),
  );
  // What it serves must not stay in the cache of this machine.
  const cache = await Deno.makeTempDir();
  status = await publish({
    JSR_URL: `http://127.0.0.1:${registry.addr.port}/`,
    DENO_DIR: cache,
  });
  await registry.shutdown();
  await Deno.remove(cache, { recursive: true });
}
Deno.exit(status);
