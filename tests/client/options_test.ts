import { assertEquals } from "@std/assert";
import { EXIT_STATUS_HELP, ExitStatus } from "../../client/exit.ts";
import { clientHelp } from "../../client/commands/help.ts";
import { OPTIONS, type Options, parseOptions } from "../../client/options.ts";

const DEFAULTS: Options = {
  server: { host: "localhost", port: 7070 },
  serverName: "localhost:7070",
  id: 0,
  name: "",
  port: 0,
  timers: "adaptive",
  identity: undefined,
  isEphemeral: false,
  showsFingerprint: false,
  connect: undefined,
  send: undefined,
  secretFile: undefined,
  acceptAll: false,
  log: undefined,
  chaos: undefined,
  isJson: false,
  color: "auto",
  isPlain: false,
  keepsHistory: true,
};

/** What differs from the defaults, or the message of the problem. */
function understood(...args: string[]): unknown {
  const parsed = parseOptions(args);
  if (parsed.kind === "problem") return parsed.message;
  if (parsed.kind === "help") return "help";
  const { options } = parsed;
  return Object.fromEntries(
    Object.entries(options).filter(([name, value]) =>
      JSON.stringify(value) !== JSON.stringify(DEFAULTS[name as keyof Options])
    ),
  );
}

Deno.test("parseOptions() fills in the defaults", () => {
  assertEquals(parseOptions([]), { kind: "run", options: DEFAULTS });
});

Deno.test("parseOptions() understands every option", () => {
  assertEquals(understood("--id", "3", "--name", "ana", "--port", "7001"), {
    id: 3,
    name: "ana",
    port: 7001,
  });
  assertEquals(understood("--timers=fixed", "--accept-all", "--json"), {
    timers: "fixed",
    acceptAll: true,
    isJson: true,
  });
  assertEquals(understood("--color", "never", "--plain", "--no-history"), {
    color: "never",
    isPlain: true,
    keepsHistory: false,
  });
  assertEquals(understood("--connect", "2", "--send", "hi\nthere"), {
    connect: 2,
    send: "hi\nthere",
  });
  assertEquals(understood("--connect=bob", "--send=-5 degrees"), {
    connect: "bob",
    send: "-5 degrees",
  });
  assertEquals(understood("--identity", "./ana.key", "--fingerprint"), {
    identity: "./ana.key",
    showsFingerprint: true,
  });
  assertEquals(understood("--ephemeral"), { isEphemeral: true });
  assertEquals(understood("--secret", "./secret"), { secretFile: "./secret" });
  assertEquals(understood("--log", "chat.jsonl"), { log: "chat.jsonl" });
  assertEquals(understood("--chaos", "loss=0.5"), {
    chaos: { loss: 0.5, duplicate: 0, reorder: 0, delay: 0, seed: 1 },
  });
  assertEquals(understood("--help"), "help");
  assertEquals(understood("-h"), "help");
});

Deno.test("parseOptions() understands hosts and ports", () => {
  const servers: [string, string, number][] = [
    ["example.com:80", "example.com", 80],
    ["example.com", "example.com", 7070],
    ["10.0.0.1:7071", "10.0.0.1", 7071],
    ["[::1]:7071", "::1", 7071],
    ["[::1]", "::1", 7070],
    ["::1", "::1", 7070],
    ["[fe80::1%eth0]:1", "fe80::1%eth0", 1],
  ];
  for (const [serverName, host, port] of servers) {
    assertEquals(understood("--server", serverName), { server: { host, port }, serverName });
  }
});

Deno.test("parseOptions() says what it expected", () => {
  const problems: [string[], string][] = [
    [["--port", "http"], 'Cannot parse --port: expected 1 to 65535, got "http"'],
    [["--port", "0"], 'Cannot parse --port: expected 1 to 65535, got "0"'],
    [["--port", "65536"], 'Cannot parse --port: expected 1 to 65535, got "65536"'],
    [["--port", "1e3"], 'Cannot parse --port: expected 1 to 65535, got "1e3"'],
    [["--port"], "Cannot parse --port: expected 1 to 65535"],
    [["--id", "x"], 'Cannot parse --id: expected 1 to 4294967295, got "x"'],
    [
      ["--name", "a b"],
      'Cannot parse --name: a name cannot hold spaces or control characters, got "a b"',
    ],
    [
      ["--name", "12"],
      'Cannot parse --name: a name cannot be a number: that is a client id, got "12"',
    ],
    [["--timers", "slow"], 'Cannot parse --timers: expected adaptive or fixed, got "slow"'],
    [
      ["--connect", "0"],
      'Cannot parse --connect: expected a client id from 1 to 4294967295, got "0"',
    ],
    [["--server", "a:b"], 'Cannot parse --server: expected a port from 1 to 65535, got "b"'],
    [["--server", ":7070"], 'Cannot parse --server: expected HOST or HOST:PORT, got ":7070"'],
    [["--server", "[::1"], 'Cannot parse --server: expected HOST or HOST:PORT, got "[::1"'],
    [["--identity"], "Cannot parse --identity: expected a file"],
    [
      ["--identity", "x", "--ephemeral"],
      "Cannot use --ephemeral with --identity: a file, or none?",
    ],
    [
      ["--chaos", "loss=2"],
      'Cannot parse --chaos: expected loss to be a probability from 0 to 1, got "2"',
    ],
    [["--log", "x", "--ephemeral"], "Cannot use --ephemeral with --log: no file, or one?"],
    [["--send", "hi"], "Cannot use --send without --connect: to whom?"],
    [["--prot", "1"], 'Unknown option "--prot": did you mean "--port"?'],
    [["--frobnicate=3"], 'Unknown option "--frobnicate"'],
    [["-x"], 'Unknown option "-x"'],
    [["2"], 'Unexpected argument "2"'],
  ];
  for (const [args, message] of problems) assertEquals(understood(...args), message);
});

Deno.test("parseOptions() shows no control characters of what it cannot parse", () => {
  const message = 'Cannot parse --port: expected 1 to 65535, got "\\u001b[2J"';
  assertEquals(understood("--port", "\x1b[2J"), message);
});

Deno.test("clientHelp() has a line for each option and exit status, within 80 columns", () => {
  const lines = clientHelp().split("\n");
  for (const { name, help } of OPTIONS) {
    assertEquals(
      lines.filter((line) => line.includes(`--${name} `) && line.includes(help)).length,
      1,
    );
  }
  assertEquals(EXIT_STATUS_HELP.map(([status]) => status), Object.values(ExitStatus));
  for (const [status] of EXIT_STATUS_HELP) {
    assertEquals(lines.filter((line) => line.startsWith(`  ${status} `)).length, 1);
  }
  assertEquals(lines.filter((line) => line.length > 80), []);
});
