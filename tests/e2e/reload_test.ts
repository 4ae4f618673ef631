// SIGHUP: a directory reads its limits and its secret again.
import { assertEquals } from "@std/assert";
import { Folders } from "./folders.ts";
import { Stage, UNIX_SIGNALS } from "./process.ts";

const { ignore, note } = UNIX_SIGNALS;
const LOG = ["--log-level", "info", "--json"];

Deno.test({
  name:
    `serve reads its limits again at SIGHUP, and keeps the old ones where the file is wrong${note}`,
  ignore,
  async fn() {
    using folders = new Folders();
    await using stage = new Stage();
    const file = `${folders.get("limits")}/limits`;
    Deno.writeTextFileSync(file, "registrations-per-source 0.001 1\n");
    const { program, address } = await stage.serve("--limits", file, ...LOG);
    await stage.jsonClient("ana", { address });
    const bob = stage.client("bob", { address }, "--name", "bob", "--json");
    await program.stderr.waitFor(/warn Limit reached: registrations: \d+ dropped$/);
    Deno.writeTextFileSync(file, "registrations-per-source none\n");
    program.signal("SIGHUP");
    await program.stderr.waitFor(
      /error Nothing is changed: Cannot use the limits in ".*": line 1: cannot parse regis/,
    );
    assertEquals(bob.registered(), undefined);
    Deno.writeTextFileSync(file, "registrations-per-source 10 100\n");
    program.signal("SIGHUP");
    await program.stderr.waitFor(/info Read the limits again$/);
    await bob.waitForEvent("registered");
    program.signal("SIGINT");
    assertEquals(await program.exitCode(), 0);
  },
});

Deno.test({
  name: `serve reads its secret again at SIGHUP, and goes on for who is registered${note}`,
  ignore,
  async fn() {
    using folders = new Folders();
    await using stage = new Stage();
    const [file, other] = ["old", "new"].map((name) => `${folders.get("secrets")}/${name}`);
    Deno.writeTextFileSync(file!, "the secret of before");
    const { program, address } = await stage.serve("--secret", file!, ...LOG);
    const ana = await stage.jsonClient("ana", { address }, "--secret", file!);
    Deno.writeTextFileSync(file!, "another secret, not the same");
    Deno.writeTextFileSync(other!, "another secret, not the same");
    program.signal("SIGHUP");
    await program.stderr.waitFor(/info Read the secret again$/);
    const bob = await stage.jsonClient("bob", { address }, "--secret", other!, "--accept-all");
    await ana.type("connect bob");
    await bob.waitForEvent("connected");
  },
});
