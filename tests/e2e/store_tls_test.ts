// Directories whose store is reached by TLS, under a certificate of an authority of its own.
import { assertEquals, assertMatch } from "@std/assert";
import { type Certificate, makeCertificate, TLS } from "./certificates.ts";
import { Folders } from "./folders.ts";
import { PATIENCE } from "./lines.ts";
import { type Program, type RunningServer, Stage } from "./process.ts";
import { freePort } from "./ports.ts";
import { RedisServer } from "./redis_server.ts";

const ARGS = ["--quiet", "--log-level", "info", "--metrics", "127.0.0.1:0"];

/** A store with TLS, and a directory that has the certificate of an authority. */
class SecureStore implements AsyncDisposable {
  readonly folders = new Folders();
  readonly port = freePort("tcp");
  readonly certificate: Certificate;
  #redis: RedisServer | undefined;
  readonly #stages: Stage[] = [];

  constructor() {
    this.certificate = makeCertificate(this.folders.get("certificate"), ["localhost"]);
  }

  static async start(): Promise<SecureStore> {
    const store = new SecureStore();
    const { certificate, key } = store.certificate;
    const files = ["--tls-cert-file", certificate, "--tls-key-file", key];
    const settings = ["--tls-port", `${store.port}`, "--tls-auth-clients", "no", ...files];
    store.#redis = await RedisServer.start(settings);
    await store.#redis.command("CONFIG", "SET", "requirepass", "the-word");
    return store;
  }

  /** Starts a directory, and waits until it says of the store what it should. */
  async serve(
    url: string,
    authority: string | undefined,
    expected: RegExp,
  ): Promise<RunningServer> {
    const env = authority === undefined ? {} : { DENO_CERT: authority };
    const stage = new Stage({ env });
    this.#stages.push(stage);
    const server = await stage.serve("--store", url, ...ARGS);
    // A machine that stands still has the store answer too late; the next try tells more.
    const word = await server.program.stderr.waitFor(/ the store (?!.*no answer within 3 s$)/i);
    assertMatch(word, expected);
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stage of this.#stages) await stage[Symbol.asyncDispose]();
    await this.#redis?.[Symbol.asyncDispose]();
    this.folders[Symbol.dispose]();
  }
}

async function isReady({ stderr }: Program): Promise<boolean> {
  const [, base = ""] = /(http:\S+)\/metrics$/m.exec(stderr.all.join("\n")) ?? [];
  const response = await fetch(`${base}/readyz`);
  await response.body?.cancel();
  return response.ok;
}

function test(name: string, body: (store: SecureStore) => Promise<void>): void {
  Deno.test({
    name: name + TLS.note,
    ignore: TLS.ignore,
    async fn() {
      await using store = await SecureStore.start();
      await body(store);
    },
  });
}

test("DENO_CERT names the authority of a store with TLS", async (store) => {
  const url = `rediss://:the-word@localhost:${store.port}`;
  const { program } = await store.serve(url, store.certificate.authority, /The store answers$/);
  const deadline = Date.now() + PATIENCE;
  while (!await isReady(program)) assertEquals(Date.now() < deadline, true);
});

test("a store that cannot be trusted is named with the reason, and the directory waits for it", async (store) => {
  const { authority } = store.certificate;
  const other = makeCertificate(store.folders.get("other"), ["localhost"]).authority;
  const at = (host: string): string => `rediss://:the-word@${host}:${store.port}`;
  const unknown = /: .*(?:certificate).*; DENO_CERT names the file of its authority$/;
  const cases = [
    [at("localhost"), other, unknown],
    [at("localhost"), undefined, unknown],
    [at("127.0.0.1"), authority, /127\.0\.0\.1:\d+: .*(?:certificate|altnames)/],
    [at("localhost").replace("the-word", "no-word"), authority, /: WRONGPASS /],
    [at("localhost").replace(":the-word@", ""), authority, /: NOAUTH /],
  ] as const;
  for (const [url, file, problem] of cases) {
    const { program } = await store.serve(url, file, problem);
    assertEquals(await isReady(program), false);
    program.signal("SIGINT");
    assertEquals(await program.exitCode(), 0);
  }
});
