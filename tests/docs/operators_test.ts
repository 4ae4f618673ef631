// The operators' page: its files, options and metrics are those of the program.
import { assert, assertEquals } from "@std/assert";
import { Histogram } from "../../server/metrics/histogram.ts";
import { directoryMetrics } from "../../server/metrics/metrics.ts";
import { parseServerOptions } from "../../server/options.ts";
import { IDLE } from "../server/metrics/reading.ts";

const FOLDER = new URL("../../docs/operators/", import.meta.url);
const PAGE = Deno.readTextFileSync(new URL("../operators.md", FOLDER));

function readFile(name: string): string {
  return Deno.readTextFileSync(new URL(name, FOLDER)).replaceAll("\r\n", "\n");
}

Deno.test("the operators' page shows the unit, the container file and the store's settings as they are", () => {
  const page = PAGE.replaceAll("\r\n", "\n");
  assert(page.includes(`\`\`\`ini\n${readFile("udp-chat.service")}\`\`\`\n`));
  assert(page.includes(`\`\`\`text\n${readFile("redis.conf")}\`\`\`\n`));
  assert(page.includes(`\`\`\`dockerfile\n${readFile("Dockerfile")}\`\`\`\n`));
});

Deno.test("the unit and the container file start the directory with options that it has", () => {
  const [, unit = ""] = /^ExecStart=(.*)$/m.exec(
    readFile("udp-chat.service").replaceAll("\\\n", " "),
  ) ?? [];
  const drops = [...PAGE.matchAll(/^ExecStart=\nExecStart=(.*)$/gm)].map(([, drop = ""]) => drop);
  const words = [...readFile("Dockerfile").matchAll(/^(?:ENTRYPOINT|CMD) (.*)$/gm)]
    .flatMap(([, list = "[]"]): string[] => JSON.parse(list));
  assert(drops.length > 1);
  for (
    const command of [
      unit.trim().split(/\s+/),
      ...drops.map((each) => each.split(" ")),
      words,
    ]
  ) {
    const [program, serve, ...args] = command;
    assertEquals([program, serve], ["/usr/local/bin/udp-chat", "serve"]);
    assert(parseServerOptions(args).ok, args.join(" "));
  }
});

Deno.test("the alerts of the operators' page name metrics that there are", () => {
  const store = { isAvailable: true, latency: new Histogram([1]) };
  const metrics = directoryMetrics({ ...IDLE, store });
  const names = metrics.map(({ name, type }) => type === "histogram" ? `${name}_bucket` : name);
  const used = PAGE.match(/\b(?:udpchat|process)_\w+/g) ?? [];
  assertEquals(used.filter((name) => !names.includes(name)), []);
  assert(used.length > 5);
});

Deno.test("the unit starts a directory again that a reload ended while it started", () => {
  // Until the directory listens to signals, a hangup ends it, and systemd takes that for no failure.
  assert(/^RestartForceExitStatus=SIGHUP$/m.test(readFile("udp-chat.service")));
});
