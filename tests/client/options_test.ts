import { assertEquals } from "@std/assert";
import { EXIT_STATUS_HELP, ExitStatus } from "../../client/exit.ts";
import { helpText } from "../../cli/help.ts";
import { CLIENT_HELP } from "../../client/help.ts";
import { OPTIONS, type Options, parseClientOptions, SETTINGS } from "../../client/options.ts";
import { parseSettings } from "../../cli/settings.ts";

const DEFAULTS: Options = {
  server: {
    all: [{ host: "localhost", port: 7070, text: "localhost:7070" }],
    text: "localhost:7070",
  },
  serverKey: undefined,
  id: 0,
  name: "",
  port: 0,
  timers: "adaptive",
  identity: undefined,
  isEphemeral: false,
  showsFingerprint: false,
  connect: undefined,
  key: undefined,
  send: undefined,
  waitReply: 0,
  timeout: 0,
  secretFile: undefined,
  acceptAll: false,
  log: undefined,
  chaos: undefined,
  isJson: false,
  color: "auto",
  time: "minutes",
  isPlain: false,
  keepsHistory: true,
  notifies: true,
};

/** The values that differ from the defaults, or the error. */
function parsed(...args: string[]): unknown {
  const result = parseClientOptions(args);
  if (!result.ok) return result.error;
  if (result.value === "help") return "help";
  return Object.fromEntries(
    Object.entries(result.value).filter(([name, value]) =>
      JSON.stringify(value) !== JSON.stringify(DEFAULTS[name as keyof Options])
    ),
  );
}

Deno.test("parseClientOptions() fills in the defaults", () => {
  assertEquals(parseClientOptions([]), { ok: true, value: DEFAULTS });
});

Deno.test("parseClientOptions() parses every option", () => {
  assertEquals(parsed("--id", "3", "--name", "ana", "--port", "7001"), {
    id: 3,
    name: "ana",
    port: 7001,
  });
  assertEquals(parsed("--timers=fixed", "--accept-all", "--json"), {
    timers: "fixed",
    acceptAll: true,
    isJson: true,
  });
  assertEquals(parsed("--color", "never", "--plain", "--no-history", "--no-notify"), {
    color: "never",
    isPlain: true,
    keepsHistory: false,
    notifies: false,
  });
  assertEquals(parsed("--connect", "2", "--send", "hi\nthere"), {
    connect: 2,
    send: "hi\nthere",
  });
  assertEquals(parsed("--connect=bob", "--send=-5 degrees"), {
    connect: "bob",
    send: "-5 degrees",
  });
  assertEquals(parsed("--identity", "./ana.key", "--fingerprint"), {
    identity: "./ana.key",
    showsFingerprint: true,
  });
  for (
    const key of ["01234 56789 01234 56789 01234 56789", "01234-56789-01234-56789-01234-56789"]
  ) {
    assertEquals(parsed("--server-key", key), { serverKey: "01234 56789 01234 56789 01234 56789" });
  }
  assertEquals(parsed("--ephemeral"), { isEphemeral: true });
  assertEquals(parsed("--secret", "./secret"), { secretFile: "./secret" });
  assertEquals(parsed("--log", "chat.jsonl"), { log: "chat.jsonl" });
  assertEquals(parsed("--chaos", "loss=0.5"), {
    chaos: { loss: 0.5, duplicate: 0, reorder: 0, delay: 0, seed: 1 },
  });
  assertEquals(parsed("--help"), "help");
  assertEquals(parsed("-h"), "help");
});

Deno.test("parseClientOptions() parses hosts and ports", () => {
  const servers: [string, string, number][] = [
    ["example.com:80", "example.com", 80],
    ["example.com", "example.com", 7070],
    ["10.0.0.1:7071", "10.0.0.1", 7071],
    ["[::1]:7071", "::1", 7071],
    ["[::1]", "::1", 7070],
    ["::1", "::1", 7070],
    ["[fe80::1%eth0]:1", "fe80::1%eth0", 1],
  ];
  for (const [text, host, port] of servers) {
    assertEquals(parsed("--server", text), { server: { all: [{ host, port, text }], text } });
  }
  assertEquals(parsed("--server", "a.example, [::1]:7071"), {
    server: {
      all: [
        { host: "a.example", port: 7070, text: "a.example" },
        { host: "::1", port: 7071, text: "[::1]:7071" },
      ],
      text: "a.example, [::1]:7071",
    },
  });
});

Deno.test("parseClientOptions() reports what it expected", () => {
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
    [
      ["--server-key", "01234 56789"],
      'Cannot parse --server-key: expected a fingerprint of 30 digits, got "01234 56789"',
    ],
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
    [["--send", "hi"], "Cannot use --send without --connect: it says which peer to send to"],
    [["--prot", "1"], 'Unknown option "--prot": did you mean "--port"?'],
    [["--frobnicate=3"], 'Unknown option "--frobnicate"'],
    [["-x"], 'Unknown option "-x"'],
    [["2"], 'Unexpected argument "2"'],
  ];
  for (const [args, message] of problems) assertEquals(parsed(...args), message);
});

Deno.test("parseClientOptions() escapes control characters in errors", () => {
  const message = 'Cannot parse --port: expected 1 to 65535, got "\\u001b[2J"';
  assertEquals(parsed("--port", "\x1b[2J"), message);
});

Deno.test("the help of the client has a line for each exit status", () => {
  const lines = helpText(CLIENT_HELP).split("\n");
  assertEquals(EXIT_STATUS_HELP.map(([status]) => status), Object.values(ExitStatus));
  for (const [status] of EXIT_STATUS_HELP) {
    assertEquals(lines.filter((line) => line.startsWith(`  ${status} `)).length, 1);
  }
});

Deno.test("options win over the configuration file, and that over the defaults", () => {
  const settings = parseSettings(
    OPTIONS,
    SETTINGS,
    "server chat.example\nname ana\ncolor never",
    () => false,
  );
  const parse = (...args: string[]): unknown[] => {
    const result = parseClientOptions(args, settings);
    if (!result.ok || result.value === "help") return [result];
    const { server, name, color } = result.value;
    return [server.text, name, color];
  };
  // A name in the file is none that this start asks for: it may get a number.
  assertEquals(parse(), ["chat.example", "", "never"]);
  assertEquals(parse("--color", "always", "--name", "zoe"), ["chat.example", "zoe", "always"]);
  assertEquals(parse("--server", "localhost:7071"), ["localhost:7071", "", "never"]);
});

Deno.test("a configuration file that is wrong is an error, but not where help is asked for", () => {
  const wrong = parseSettings(OPTIONS, SETTINGS, "nmae ana", () => false);
  const result = parseClientOptions(["--id", "3"], wrong);
  assertEquals(result.ok ? "" : result.error, 'line 1: unknown key "nmae": did you mean "name"?');
  assertEquals(parseClientOptions(["--help"], wrong), { ok: true, value: "help" });
});
