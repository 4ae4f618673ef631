// What a client on a terminal is called.
import { assertEquals } from "@std/assert";
import { commandLine, Stage } from "./process.ts";
import { enter } from "./scene.ts";
import { Screen, TMUX } from "./tmux.ts";

Deno.test({
  name: `terminal: the login is the name, a number is added, and /nick takes another${TMUX.note}`,
  ignore: TMUX.ignore,
  async fn() {
    await using stage = new Stage();
    const server = await stage.serve();
    await using first = await Screen.open();
    await using second = await Screen.open();
    const start = async (screen: Screen): Promise<void> => {
      await screen.run(commandLine("client"), ["--server", server.address], { USER: "Jo Doe" });
    };
    await start(first);
    await first.waitFor(/Registered at .* as client 1 \(Jo-Doe\)$/m);
    await start(second);
    await second.waitFor(/Registered at .* as client 2 \(Jo-Doe2\)$/m);
    await enter(second, "/nick bea");
    await second.waitFor(/\* You are bea now$/m);
    await enter(second, "/nick Jo-Doe");
    await second.waitFor(/The name "Jo-Doe" is taken|"Jo-Doe" belongs to/);
    await enter(first, "connect bea");
    await second.waitFor(/Connection Request from Jo-Doe/);

    // Killed, it comes back under the name that it took.
    second.signal("SIGKILL");
    await second.waitFor(/Killed[^]*\$$/);
    await second.type("stty sane; clear");
    await second.press("C-j");
    await second.waitFor((rows) => rows.join() === "$");
    await start(second);
    const rows = await second.waitFor(/Registered at/);
    assertEquals(rows.some((row) => /as client 2 \(bea\)$/.test(row)), true, rows.join("\n"));
  },
});

Deno.test({
  name: `terminal: a USER that was set by hand wins over the configured name${TMUX.note}`,
  ignore: TMUX.ignore,
  async fn() {
    await using stage = new Stage();
    const server = await stage.serve();
    await using screen = await Screen.open();
    Deno.mkdirSync(`${screen.folder}/udp-chat`);
    Deno.writeTextFileSync(`${screen.folder}/udp-chat/config`, "name konrad\n");
    for (
      const [variables, name] of [
        [{ USER: "zoe", LOGNAME: "root" }, "zoe"],
        [{ USER: "root", LOGNAME: "root" }, "konrad"],
      ] as const
    ) {
      await screen.run(commandLine("client"), ["--server", server.address], variables);
      await screen.waitFor(new RegExp(`Registered at .* as client 1 \\(${name}\\)$`, "m"));
      await enter(screen, "leave");
      await screen.waitFor((rows) => rows.at(-1) === "$");
    }
  },
});
