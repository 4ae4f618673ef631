import { assertEquals, assertMatch } from "@std/assert";
import { parseCommand, type ParseContext } from "../../../client/commands/parse.ts";
import { commandNamed, COMMANDS, usage } from "../../../client/commands/command_table.ts";
import { CLIENT_ID_MAX } from "../../../client/peer.ts";
import { commandHelp } from "../../../client/commands/help.ts";

const IDLE: ParseContext = { isConnected: false, isJson: false };
const CONNECTED: ParseContext = { isConnected: true, isJson: false };
const JSON_LINES: ParseContext = { isConnected: true, isJson: true };

const SPACES = "cannot hold spaces or control characters";

/** A fingerprint. */
const DIGITS = "12345 67890 00000 11111 22222 33333";

/** The command, or the error message. */
function parsed(line: string, context: ParseContext): unknown {
  const result = parseCommand(line, context);
  return result.ok ? result.value : result.error.message;
}

Deno.test("parseCommand() parses every command, with and without a slash", () => {
  const lines: [string, unknown][] = [
    ["connect 2", { command: "connect", peer: 2 }],
    ["connect ana", { command: "connect", peer: "ana" }],
    ["accept", { command: "accept" }],
    ["accept 3", { command: "accept", peer: 3 }],
    ["reject  bob ", { command: "reject", peer: "bob" }],
    ["send hi there", { command: "send", text: "hi there" }],
    ["send @2 hi", { command: "send", text: "@2 hi" }],
    ["@2 hi  there ", { command: "send", peer: 2, text: "hi  there " }],
    ["@bob two\nlines", { command: "send", peer: "bob", text: "two\nlines" }],
    ["switch 2", { command: "switch", peer: 2 }],
    ["switch bob", { command: "switch", peer: "bob" }],
    ["terminate", { command: "terminate" }],
    ["terminate 2", { command: "terminate", peer: 2 }],
    ["requests", { command: "requests" }],
    [`accept ${DIGITS.replaceAll(" ", "-")}`, { command: "accept", peer: DIGITS }],
    [`reject ${DIGITS}`, { command: "reject", peer: DIGITS }],
    ["  leave ", { command: "leave" }],
    ["list", { command: "list" }],
    ["list bo", { command: "list", pattern: "bo" }],
    ["help", { command: "help" }],
    ["fingerprint", { command: "fingerprint" }],
    ["verify", { command: "verify" }],
    ["block 2", { command: "block", peer: 2 }],
    ["block eve", { command: "block", peer: "eve" }],
    [`block  ${DIGITS.replace(" ", "  ")} `, { command: "block", peer: DIGITS }],
    [`unblock ${DIGITS.replaceAll(" ", "-")}`, { command: "unblock", peer: DIGITS }],
    [`unblock ${DIGITS.replaceAll(" ", "")}`, { command: "unblock", peer: DIGITS }],
    ["unblock", { command: "unblock" }],
  ];
  for (const [line, expected] of lines) {
    assertEquals(parsed(line, IDLE), expected);
    assertEquals(parsed(line, CONNECTED), expected);
    assertEquals(parsed(`/${line.trimStart()}`, CONNECTED), expected);
  }
});

Deno.test("parseCommand() parses every example of the table", () => {
  for (const { name, example } of COMMANDS) {
    const result = parseCommand(example, IDLE);
    const command = name === "@" ? "send" : name;
    assertEquals(result.ok && result.value?.command, command);
  }
});

Deno.test("parseCommand() takes a line that is no valid command for a message, while connected", () => {
  for (
    const text of [
      "hello",
      "help me please",
      "help me",
      "leave it to me",
      "log in",
      "log it",
      "list all of them",
      "connect me to bob",
      "connect",
      "switch",
      "switch to tea",
      "terminate it now",
      "requests pending",
      "@ home",
      "@",
      "@@bob hi",
      "send",
      "terminat",
      "block",
      "block the road",
      "unblock it please",
      "verify that",
      `${DIGITS}`,
      `block ${DIGITS} 4`,
      "  indented, and with space after  ",
      "quit",
      "two\nlines",
    ]
  ) {
    assertEquals(parsed(text, CONNECTED), { command: "send", text });
  }
});

/** While connected with bob, on a typed line. */
const TYPED: ParseContext = {
  ...CONNECTED,
  surroundings: {
    clients: [{ id: 2, name: "bob" }, { id: 3, name: "carol" }, { id: 5, name: "" }],
    connected: [{ id: 2, name: "bob" }],
    requests: [{ id: 4, name: "dan" }],
    blocked: ["eve"],
    isLogging: false,
  },
};
/** The same without any request. */
const NO_REQUEST: ParseContext = {
  ...TYPED,
  surroundings: { ...TYPED.surroundings!, requests: [] },
};

Deno.test("parseCommand() guesses no command from words on a typed line, while connected", () => {
  for (
    const text of [
      "accept that",
      "accept 3",
      "reject it",
      "switch off",
      "switch carol",
      "block it",
      "block @home",
      "connect me",
      "connect @home",
      "connect 0",
      "terminate him",
      "terminate 3",
      "unblock it",
      "log off",
      "log that.",
      "list it",
      "help me",
    ]
  ) {
    assertEquals(parsed(text, TYPED), { command: "send", text });
  }
  for (const text of ["accept", "reject", "accept dan"]) {
    assertEquals(parsed(text, NO_REQUEST), { command: "send", text });
  }
});

Deno.test("parseCommand() takes a typed line whose words are all known for a command", () => {
  const lines: [string, unknown][] = [
    ["accept", { command: "accept" }],
    ["accept Dan", { command: "accept", peer: "Dan" }],
    ["reject 4", { command: "reject", peer: 4 }],
    [`accept ${DIGITS}`, { command: "accept", peer: DIGITS }],
    ["switch bob", { command: "switch", peer: "bob" }],
    ["terminate", { command: "terminate" }],
    ["terminate 2", { command: "terminate", peer: 2 }],
    ["connect carol", { command: "connect", peer: "carol" }],
    ["connect dan", { command: "connect", peer: "dan" }],
    // Only the directory knows all ids.
    ["connect 7", { command: "connect", peer: 7 }],
    ["block carol", { command: "block", peer: "carol" }],
    ["unblock", { command: "unblock" }],
    ["unblock eve", { command: "unblock", peer: "eve" }],
    ["log chat.txt", { command: "log", file: "chat.txt" }],
    ["leave", { command: "leave" }],
    ["send accept that", { command: "send", text: "accept that" }],
    ["/connect me", { command: "connect", peer: "me" }],
    ["/log off", { command: "log", file: "off" }],
    ["help keys", { command: "help", topic: "keys" }],
  ];
  for (const [line, expected] of lines) assertEquals(parsed(line, TYPED), expected);
  const isLogging = { ...TYPED.surroundings!, isLogging: true };
  const off = { command: "log", file: "off" };
  assertEquals(parsed("log off", { ...TYPED, surroundings: isLogging }), off);
});

Deno.test("parseCommand() keeps a typed @name for mending that is not connected", () => {
  const bob = { command: "send", peer: "bob", text: "hi" };
  assertEquals(parsed("@bob hi", TYPED), bob);
  assertEquals(parsed("@bbo hi", CONNECTED), { ...bob, peer: "bbo" }, "a script is told later");
  const nobody =
    "Not sent: nobody called bbo is connected with you · send @bbo … sends it as it is";
  const carol = "Not sent: you are not connected with carol · connect carol calls";
  const seven = "Not sent: you are not connected with client 7 · connect 7 calls";
  for (const context of [TYPED, { ...TYPED, isConnected: false }]) {
    for (
      const [line, message] of Object.entries({
        "@bbo hi": nobody,
        "/@carol hi": carol,
        "@7 hi": seven,
      })
    ) {
      assertEquals(parseCommand(line, context), {
        ok: false,
        error: { message, isText: true, isForMending: true },
      });
    }
  }
  assertEquals(parsed("send @bbo hi", TYPED), { command: "send", text: "@bbo hi" });
});

Deno.test("parseCommand() keeps the spaces of a message", () => {
  assertEquals(parsed("send   a  b ", IDLE), { command: "send", text: "  a  b " });
  assertEquals(parsed("/send a\nb", IDLE), { command: "send", text: "a\nb" });
});

Deno.test("parseCommand() sends a line after two slashes with one", () => {
  assertEquals(parsed("//etc/hosts", CONNECTED), { command: "send", text: "/etc/hosts" });
  assertEquals(parsed("//leave", IDLE), { command: "send", text: "/leave" });
});

Deno.test("parseCommand() returns no command for an empty line", () => {
  for (const context of [IDLE, CONNECTED, JSON_LINES]) {
    for (const line of ["", "  ", "\t"]) {
      assertEquals(parseCommand(line, context), { ok: true, value: undefined });
    }
  }
});

Deno.test("parseCommand() suggests the nearest command", () => {
  const near: [string, string][] = [
    ["conect 2", "connect"],
    ["Connect 2", "connect"],
    ["acept", "accept"],
    ["lsit", "list"],
    ["term", "terminate"],
    ["quit", "leave"],
    ["who", "list"],
    ["swich 2", "switch"],
    ["missed", "requests"],
  ];
  for (const [line, name] of near) {
    const word = line.split(" ")[0];
    const message = `Unknown command "${word}": did you mean "${name}"?`;
    assertEquals(parseCommand(line, IDLE), { ok: false, error: { message, isText: false } });
  }
  assertEquals(
    parsed("/conect 2", CONNECTED),
    'Unknown command "/conect": did you mean "/connect"?',
  );
});

Deno.test("parseCommand() reports an unknown command", () => {
  const message = 'Unknown command "hello": type help, or connect NAME to talk';
  assertEquals(parseCommand("hello there", IDLE), { ok: false, error: { message, isText: true } });
  assertEquals(parsed("/", CONNECTED), 'Unknown command "/": type help for the commands');
  const long = parsed("x".repeat(100_000), IDLE);
  assertEquals(long, `Unknown command "${"x".repeat(40)}…": type help, or connect NAME to talk`);
});

Deno.test("parseCommand() shows the usage for invalid arguments", () => {
  const expected = "Usage: connect ID|NAME · for example: connect bob";
  assertEquals(parsed("connect", IDLE), expected);
  assertEquals(parsed("/connect 2 3", CONNECTED), expected);
  assertEquals(parsed("send ", IDLE), "Usage: send TEXT · for example: send hello");
  assertEquals(parsed("block", IDLE), "Usage: block WHO · for example: block eve");
  assertEquals(parsed("list a b", IDLE), "Usage: list [PATTERN] · for example: list bo");
  assertEquals(parsed("switch", IDLE), "Usage: switch ID|NAME · for example: switch bob");
  const addressed = "Usage: @ID|NAME TEXT · for example: @bob hello";
  for (const line of ["@bob", "@2 ", "/@bob"]) assertEquals(parsed(line, CONNECTED), addressed);
  for (const line of ["@", "@ hi"]) assertEquals(parsed(line, IDLE), addressed);
});

Deno.test("parseCommand() accepts client ids from 1 to 4294967295", () => {
  const ids = `expected a client id from 1 to ${CLIENT_ID_MAX}`;
  assertEquals(parsed("connect 4294967295", IDLE), { command: "connect", peer: 4294967295 });
  assertEquals(parsed("connect 007", IDLE), { command: "connect", peer: 7 });
  assertEquals(parsed("connect 0", IDLE), `Cannot connect: ${ids}, got "0"`);
  assertEquals(parsed("accept 4294967296", IDLE), `Cannot accept: ${ids}, got "4294967296"`);
  assertEquals(parsed("connect 2x", IDLE), { command: "connect", peer: "2x" });
  const slash = 'Cannot connect: a name cannot start with "@"';
  assertEquals(parsed("connect @ana", IDLE), slash);
});

Deno.test("parseCommand() parses JSON lines", () => {
  const lines: [string, unknown][] = [
    ['{"command":"connect","peer":2}', { command: "connect", peer: 2 }],
    [' {"command":"connect","peer":"ana"}', { command: "connect", peer: "ana" }],
    ['{"command":"accept"}', { command: "accept" }],
    ['{"command":"reject","peer":3}', { command: "reject", peer: 3 }],
    ['{"command":"send","text":"two\\nlines "}', { command: "send", text: "two\nlines " }],
    ['{"command":"send","text":"leave"}', { command: "send", text: "leave" }],
    ['{"command":"send","peer":2,"text":"@"}', { command: "send", peer: 2, text: "@" }],
    ['{"command":"send","peer":"bob","text":""}', { command: "send", peer: "bob", text: "" }],
    ['{"command":"switch","peer":2}', { command: "switch", peer: 2 }],
    ['{"command":"terminate","peer":2}', { command: "terminate", peer: 2 }],
    ['{"command":"list","pattern":"bo"}', { command: "list", pattern: "bo" }],
    ['{"command":"requests"}', { command: "requests" }],
    ['{"command":"leave"}', { command: "leave" }],
    ['{"command":"verify"}', { command: "verify" }],
    ['{"command":"block","peer":3}', { command: "block", peer: 3 }],
    [`{"command":"block","peer":"${DIGITS}"}`, { command: "block", peer: DIGITS }],
    ['{"command":"unblock"}', { command: "unblock" }],
    ['{"command":"verify","peer":"bob"}', { command: "verify", peer: "bob" }],
    ['{"ref":"1","command":"list"}', { command: "list", ref: "1" }],
    ['{"command":"send","text":"x","ref":""}', { command: "send", text: "x", ref: "" }],
  ];
  for (const [line, expected] of lines) assertEquals(parsed(line, JSON_LINES), expected);
  assertEquals(parsed("plain", JSON_LINES), { command: "send", text: "plain" });
  assertEquals(parsed("{plain}", CONNECTED), { command: "send", text: "{plain}" });
});

Deno.test("parseCommand() reports malformed JSON lines", () => {
  const lines: [string, string][] = [
    ['{"command":', 'Cannot parse the line as JSON: "{"command":"'],
    ['{"text":"hi"}', 'Cannot parse the command: expected {"command": "…", …}'],
    ['{"command":["send"]}', 'Cannot parse the command: expected {"command": "…", …}'],
    ['{"command":"sned"}', 'Unknown command "sned": did you mean "send"?'],
    ['{"command":"send"}', 'Cannot send: expected the field "text", a string'],
    ['{"command":"send","text":5}', 'Cannot send: expected the field "text", a string'],
    ['{"command":"connect"}', 'Cannot connect: expected the field "peer", a client id or a name'],
    ['{"command":"block"}', 'Cannot block: expected the field "peer", a client id or a name'],
    [`{"command":"connect","peer":"${DIGITS}"}`, `Cannot connect: a name ${SPACES}`],
    [
      '{"command":"connect","peer":2.5}',
      'Cannot connect: expected the field "peer", a client id or a name',
    ],
    [
      '{"command":"accept","peer":null}',
      'Cannot accept: expected the field "peer", a client id or a name',
    ],
    ['{"command":"list","pattern":2}', 'Cannot list: expected the field "pattern", a string'],
    ['{"command":"list","peer":2}', 'Cannot list: unknown field "peer"'],
    ['{"command":"nick"}', 'Cannot nick: expected the field "name", a string'],
    [
      '{"command":"nick","name":"1"}',
      "Cannot nick: a name cannot be a number: that is a client id",
    ],
    ['{"command":"@","peer":2}', 'Unknown command "@": type help for the commands'],
    ['{"command":"switch"}', 'Cannot switch: expected the field "peer", a client id or a name'],
    [
      '{"command":"send","peer":0.5,"text":"x"}',
      'Cannot send: expected the field "peer", a client id or a name',
    ],
    ['{"command":"send","peer":"@x","text":"x"}', 'Cannot send: a name cannot start with "@"'],
    [
      '{"command":"list","ref":1}',
      'Cannot parse the command: expected the field "ref", a string',
    ],
  ];
  for (const [line, expected] of lines) assertEquals(parsed(line, JSON_LINES), expected);
});

Deno.test("commandHelp() gives no example that says the same as the usage", () => {
  assertEquals(commandHelp(commandNamed("leave")).split("\n").length, 2);
  assertMatch(commandHelp(commandNamed("connect")), /for example: connect bob$/);
});

Deno.test("parseCommand() takes no line that is JSON for a message, where lines may be JSON", () => {
  for (
    const line of ["[1]", ' ["send","x"]', "42", "-1.5e3", '"hello"', "true", "null", "{}", "{"]
  ) {
    assertEquals(parseCommand(line, JSON_LINES).ok, false, line);
    assertEquals(parsed(line, CONNECTED), { command: "send", text: line });
  }
  for (const line of ["[laughs]", "42 is it", '"hello" he said', "nullify"]) {
    assertEquals(parsed(line, JSON_LINES), { command: "send", text: line });
  }
});

Deno.test("parseCommand() gives the reference of a command that is wrong", () => {
  for (const line of ['{"command":"send","ref":"7"}', '{"command":"sned","ref":"7"}']) {
    const result = parseCommand(line, JSON_LINES);
    assertEquals(result.ok ? undefined : result.error.ref, "7");
  }
});

Deno.test("commandHelp() has a line for each command, within 80 columns", () => {
  const lines = commandHelp().split("\n");
  for (const { name } of COMMANDS) {
    const [topic] = COMMANDS.filter((spec) => spec.name === name);
    assertEquals(lines.filter((line) => line.startsWith(`  ${usage(topic!)} `)).length, 1);
    lines.push(...commandHelp(topic).split("\n"));
  }
  assertEquals(lines.length < 24 + COMMANDS.length * 3, true, "on one screen with the prompt");
  lines.push(...commandHelp("keys").split("\n"));
  assertEquals(lines.filter((line) => line.length > 80), []);
});

Deno.test("parseCommand() takes log with a file name for a command, while connected", () => {
  for (
    const file of ["chat.txt", "a/b", "off", "/tmp/my chat.txt", "~/a b", "..\\a b", "C:\\a b"]
  ) {
    assertEquals(parsed(`log ${file}`, CONNECTED), { command: "log", file });
  }
  for (const text of ["log in", "log in.to it", "log 'em", "log out of C: now"]) {
    assertEquals(parsed(text, CONNECTED), { command: "send", text });
  }
});

Deno.test("parseCommand() accepts a path with spaces, quoted or not", () => {
  for (const context of [IDLE, CONNECTED]) {
    for (const quote of ["'", '"']) {
      const command = parsed(`log ${quote}my chat.txt${quote} `, context);
      assertEquals(command, { command: "log", file: "my chat.txt" });
    }
  }
  for (const line of ["log my chat.txt", "/log my chat.txt"]) {
    assertEquals(parsed(line, IDLE), { command: "log", file: "my chat.txt" });
  }
  assertEquals(parsed("/log 'em", CONNECTED), { command: "log", file: "'em" });
});

Deno.test("nick takes a good name; while connected it needs a slash, as any word can be one", () => {
  const nick = { command: "nick", name: "ben" };
  assertEquals(parsed("nick ben", IDLE), nick);
  assertEquals(parsed("/nick ben", CONNECTED), nick);
  assertEquals(parsed('{"command":"nick","name":"ben"}', { ...IDLE, isJson: true }), nick);
  assertEquals(parsed("nick ben", CONNECTED), { command: "send", text: "nick ben" });
  assertEquals(parsed("nick", IDLE), "Usage: nick NAME · for example: nick ana");
  assertEquals(
    parsed("nick 7", IDLE),
    "Cannot nick: a name cannot be a number: that is a client id",
  );
});
