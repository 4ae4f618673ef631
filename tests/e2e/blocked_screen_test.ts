// A client in a real terminal, where nothing comes back from the directory.
import { assertEquals, assertMatch } from "@std/assert";
import { commandLine, Stage } from "./process.ts";
import { Screen, TMUX } from "./tmux.ts";

Deno.test({
  name: `terminal: where nothing comes back, the client says so and ends with status 3${TMUX.note}`,
  ignore: TMUX.ignore,
  async fn() {
    const silent = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    const { port } = silent.addr as Deno.NetAddr;
    await using screen = await Screen.open(80, 24);
    await screen.run(commandLine("client"), ["--server", `127.0.0.1:${port}`, "--ephemeral"]);
    await screen.waitFor(/registering at /);
    const shown = await screen.waitFor(/does not answer yet/);
    assertMatch(shown.join(" "), new RegExp(` · udp-chat serve +--port ${port} +starts one `));
    await screen.waitFor(/Nothing comes back from the directory at/);
    silent.close();
    assertEquals((await screen.afterwards()).status, 3);
  },
});

Deno.test({
  name: `terminal: a directory that is started late is used at once${TMUX.note}`,
  ignore: TMUX.ignore,
  async fn() {
    const free = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    const { port } = free.addr as Deno.NetAddr;
    await using stage = new Stage();
    await using screen = await Screen.open(80, 24);
    await screen.run(commandLine("client"), ["--server", `127.0.0.1:${port}`, "--ephemeral"]);
    await screen.waitFor(/does not answer yet/);
    free.close();
    await stage.serve("--port", `${port}`);
    await screen.waitFor(/does not answer yet[^]*Registered at /);
  },
});
