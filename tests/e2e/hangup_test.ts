// A hangup, where no standard stream is a terminal. For the others see screen_test.ts.
import { type CommandLine, Stage, UNIX_SIGNALS } from "./process.ts";

const { ignore, note } = UNIX_SIGNALS;

/** Has a program ignore hangups, as `nohup` does. */
function ignoringHangups(name: string, command: CommandLine): CommandLine {
  if (name === "bob") return command;
  return { ...command, program: "nohup", args: [command.program, ...command.args] };
}

Deno.test({
  name: `a directory and a client under nohup outlive a hangup${note}`,
  ignore,
  async fn() {
    await using stage = new Stage({ wrap: ignoringHangups });
    const server = await stage.serve("--json");
    const ana = await stage.jsonClient("ana", server, "--accept-all");
    for (const program of [server.program, ana]) program.signal("SIGHUP");
    const bob = await stage.jsonClient("bob", server);
    await bob.type("connect ana", "still there?");
    await ana.waitForEvent("message", { text: "still there?" });
  },
});
