import { assertEquals } from "@std/assert";
import { type Options, parseServerOptions } from "../../server/options.ts";

function parsed(...args: string[]): Options {
  const result = parseServerOptions(args);
  if (!result.ok || result.value === "help") throw new Error(JSON.stringify(result));
  return result.value;
}

function errorOf(...args: string[]): string | undefined {
  const result = parseServerOptions(args);
  return result.ok ? undefined : result.error;
}

Deno.test("parseServerOptions() fills in the defaults", () => {
  assertEquals(parsed(), {
    host: "127.0.0.1",
    port: 7070,
    maxClients: 10_000,
    maxPerSource: 200,
    leaseSeconds: 45,
    nameHoldDays: 7,
    identity: undefined,
    isEphemeral: false,
    secretFile: undefined,
    limitsFile: undefined,
    hasSourceLimits: true,
    isRelay: true,
    relayLimit: 1_000_000,
    store: undefined,
    metrics: undefined,
    logFormat: "text",
    logLevel: "warn",
    isJson: false,
    isPlain: false,
    color: "auto",
    isQuiet: false,
  });
});

Deno.test("parseServerOptions() parses every option", () => {
  const numbers = parsed("--port", "0", "--max-clients=1000000", "--lease", "3600");
  assertEquals([numbers.port, numbers.maxClients, numbers.leaseSeconds], [0, 1_000_000, 3600]);
  assertEquals(parsed("--relay-limit", "50000").relayLimit, 50_000);
  assertEquals(parsed("--no-relay").isRelay, false);
  assertEquals(parsed("--max-per-source", "1000").maxPerSource, 1000);
  // As an address stands before a port.
  assertEquals(parsed("--host", "[::1]").host, "::1");
  const texts = parsed("--host", "::", "--secret", "./secret", "--color", "never");
  assertEquals([texts.host, texts.secretFile, texts.color], ["::", "./secret", "never"]);
  assertEquals(parsed("--identity", "./key").identity, "./key");
  assertEquals(parsed("--limits", "./limits").limitsFile, "./limits");
  assertEquals(parsed("--ephemeral").isEphemeral, true);
  const { store } = parsed("--store", "rediss://ana:word@store.example/2");
  assertEquals([store?.host, store?.password, store?.database], ["store.example", "word", 2]);
  assertEquals(parsed("--metrics", "[::1]:9464").metrics, { host: "::1", port: 9464 });
  const { logFormat, logLevel } = parsed("--log-format", "json", "--log-level=debug");
  assertEquals([logFormat, logLevel], ["json", "debug"]);
  const flags = parsed("--no-source-limits", "--json", "--plain", "--quiet");
  assertEquals([flags.hasSourceLimits, flags.isJson, flags.isPlain, flags.isQuiet], [
    false,
    true,
    true,
    true,
  ]);
});

Deno.test("parseServerOptions() rejects values out of range, and options that exclude each other", () => {
  const errors: [string[], string][] = [
    [["--port", "65536"], 'Cannot parse --port: expected 0 to 65535, got "65536"'],
    [["--max-clients", "0"], 'Cannot parse --max-clients: expected 1 to 1000000, got "0"'],
    [["--lease", "3601"], 'Cannot parse --lease: expected 1 to 3600, got "3601"'],
    [
      ["--relay-limit", "0"],
      'Cannot parse --relay-limit: expected 1 to 1000000000, got "0"',
    ],
    [
      ["--no-source-limits", "--max-per-source", "5"],
      "Cannot use --max-per-source with --no-source-limits: so many, or any number?",
    ],
    [
      ["--no-relay", "--relay-limit", "5000"],
      "Cannot use --relay-limit with --no-relay: carry so much, or nothing?",
    ],
    [
      ["--log-level", "trace"],
      'Cannot parse --log-level: expected error, warn, info or debug, got "trace"',
    ],
    [["--metrics", "9464"], 'Cannot parse --metrics: expected HOST:PORT, got "9464"'],
    [["--metrics", "::1"], 'Cannot parse --metrics: expected HOST:PORT, got "::1"'],
    [["--metrics", "a:b"], 'Cannot parse --metrics: expected a port from 0 to 65535, got "b"'],
    [["--host="], "Cannot parse --host: expected a host name or an IP address"],
    [
      ["--ephemeral", "--identity", "x"],
      "Cannot use --ephemeral with --identity: a file, or none?",
    ],
    [["--color=always", "--plain"], "Cannot use --color always with --plain: colors, or none?"],
  ];
  for (const [args, error] of errors) assertEquals(errorOf(...args), error);
});
