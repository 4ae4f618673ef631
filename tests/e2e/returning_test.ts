// A client that is killed in a conversation and starts again, on both screens.
import { assertEquals } from "@std/assert";
import { commandLine, Stage } from "./process.ts";
import { count, enter } from "./scene.ts";
import { Screen, TMUX } from "./tmux.ts";

/** The rows with a message or a notice, without the clock in front. */
function linesOf(rows: readonly string[]): string[] {
  return rows.filter((row) => /^\d\d:\d\d /.test(row)).map((row) => row.slice(6));
}

Deno.test({
  name:
    `terminal: kill -9, and the client is itself again, and the conversation goes on${TMUX.note}`,
  ignore: TMUX.ignore,
  async fn() {
    await using stage = new Stage();
    const server = await stage.serve();
    await using ana = await Screen.open();
    await using bob = await Screen.open();
    const start = async (screen: Screen, name: string): Promise<void> => {
      await screen.run(commandLine("client"), ["--server", server.address, "--name", name]);
    };
    for (const [screen, name] of [[ana, "ana"], [bob, "bob"]] as const) {
      await start(screen, name);
      await screen.waitFor(/Registered at[^]*idle >$/);
    }
    await enter(bob, "connect ana");
    await ana.waitFor(/accept bob or reject bob/);
    await enter(ana, "accept");
    await Promise.all([ana.waitFor(/^bob >$/m), bob.waitFor(/^ana >$/m)]);
    await enter(bob, "are you there?");
    await ana.waitFor(/← bob: are you there\?$/m);
    await enter(ana, "yes");
    await ana.waitFor(/✓ ana: yes$/m);

    bob.signal("SIGKILL");
    await bob.waitFor(/Killed[^]*\$$/);
    await enter(ana, "one");
    await enter(ana, "two");
    await ana.waitFor(/→ ana: two\n/);
    await ana.type("half a li");
    // The terminal is as the killed client left it: Enter is no line feed there.
    await bob.type("stty sane; clear");
    await bob.press("C-j");
    await bob.waitFor((rows) => rows.join() === "$");
    await start(bob, "bob");
    await bob.waitFor(/← ana: two[^]*\nana >$/);
    await enter(bob, "I am back");
    const shown = await ana.waitFor(/✓ ana: two[^]*← bob: I am back\nbob > half a li$/);
    assertEquals(linesOf(shown).slice(-5), [
      "✓ ana: yes",
      "✓ ana: one",
      "✓ ana: two",
      "* bob is back: what was not delivered follows",
      "← bob: I am back",
    ]);
    assertEquals(count(shown, /Connection (Request|Termination)/), 1, "nothing rings or ends");
    const others = await bob.waitFor(/✓ bob: I am back\nana >$/);
    assertEquals(count(others, /Registered at .* as client 2 \(bob\)$/), 1);
    assertEquals(count(others, /Connection Request/), 0);
    assertEquals(linesOf(others).slice(-4), [
      "* bob is back: the conversation with ana goes on",
      "← ana: one",
      "← ana: two",
      "✓ bob: I am back",
    ]);
    await ana.press("C-u");
    await enter(ana, "terminate");
    await bob.waitFor(/ana ended the conversation$/m);
  },
});
