import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { socketProblem, type StartProblem } from "../../cli/errors.ts";
import { openSocket, resolveHost } from "../../protocol/udp.ts";

function explain(error: unknown): StartProblem {
  const attempt = { failed: "Cannot listen on zed:7", host: "zed", hostOption: "--host" };
  return socketProblem(error, attempt);
}

Deno.test("socketProblem() explains the errors of Deno", () => {
  const { AddrNotAvailable, NotCapable, PermissionDenied } = Deno.errors;
  const problems: [error: unknown, code: string, why: string][] = [
    [
      new AddrNotAvailable(),
      "addressNotAvailable",
      "this machine does not have that address; check --host",
    ],
    [
      new NotCapable(),
      "notPermitted",
      "Deno was not given network access; allow it with --allow-net",
    ],
    [
      new PermissionDenied(),
      "notPermitted",
      "the system does not permit it; choose a port from 1024 up with --port",
    ],
    [new Error("odd"), "unexpected", "odd"],
    ["odd", "unexpected", "odd"],
  ];
  for (const [error, code, why] of problems) {
    assertEquals(explain(error), { code, message: `Cannot listen on zed:7: ${why}` });
  }
});

Deno.test("socketProblem() explains that a port is in use", () => {
  const socket = openSocket("127.0.0.1", 0);
  const { port } = socket.addr as Deno.NetAddr;
  const error = assertThrows(() => openSocket("127.0.0.1", port));
  socket.close();
  const message = "Cannot listen on zed:7: the port is in use; choose another with --port";
  assertEquals(explain(error), { code: "portInUse", message });
});

Deno.test("socketProblem() explains that a host is not found", async () => {
  const error = await resolveHost("zed.invalid").catch((error) => error);
  const message = 'Cannot find the host "zed"; check --host, or give an IP address';
  assertEquals(explain(error), { code: "hostNotFound", message });
});

Deno.test("each command says what to do if Deno runs it without --unstable-net", async () => {
  const [main, map] = ["main.ts", "import_map.json"].map((name) =>
    new URL(`../../${name}`, import.meta.url).href
  );
  const flags = ["--no-config", "--no-prompt", "--no-check", "--quiet", "--allow-all"];
  const runs = [["serve"], ["client", "--ephemeral"], ["doctor"]].map(async (args) => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", ...flags, `--import-map=${map}`, main!, ...args],
    }).output();
    const decoder = new TextDecoder();
    assertEquals(code, 1);
    assertMatch(
      decoder.decode(stdout) + decoder.decode(stderr),
      /annot (listen|open) [^\n]+: Deno has no UDP sockets without --unstable-net; run it with that/,
    );
  });
  await Promise.all(runs);
});
