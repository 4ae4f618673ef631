import { assertEquals } from "@std/assert";
import { DirectoryFinder, RESOLVE_INTERVAL } from "../../client/directory_finder.ts";
import type { ClientEvent } from "../../client/event.ts";
import type { Address } from "../../protocol/wire/address.ts";

const server = "chat.example:7070";
const LOST: ClientEvent = { kind: "serverLost", server };
const BACK: ClientEvent = { kind: "serverBack", server };

function at(...hosts: string[]): Address[] {
  return hosts.map((hostname) => ({ hostname, port: 7070 }));
}

/** A finder of a directory whose name has the addresses that the test wants. */
class Stage {
  hosts: string[] | undefined;
  lookUps = 0;
  readonly moves: (readonly Address[])[] = [];
  readonly finder: DirectoryFinder;
  #look: (() => void) | undefined;

  constructor(...hosts: string[]) {
    this.hosts = hosts;
    this.finder = new DirectoryFinder({
      addresses: at(...hosts),
      resolve: () => {
        this.lookUps++;
        const { hosts } = this;
        return hosts === undefined ? Promise.reject(new Error()) : Promise.resolve(at(...hosts));
      },
      every: (ms, action) => {
        assertEquals(ms, RESOLVE_INTERVAL);
        this.#look = action;
        return () => this.#look = undefined;
      },
      onMoved: (addresses) => this.moves.push(addresses),
    });
  }

  /** Lets the interval go by. */
  async wait(): Promise<void> {
    this.#look?.();
    await new Promise((resolve) => setTimeout(resolve));
  }
}

Deno.test("DirectoryFinder resolves the name while the directory is of no use, and no longer", async () => {
  const stage = new Stage("192.0.2.1");
  await stage.wait();
  assertEquals(stage.lookUps, 0);
  const quiet = { kind: "serverQuiet", server, start: undefined } as const;
  for (const lost of [LOST, quiet, { kind: "serverUnavailable", server } as const]) {
    stage.lookUps = 0;
    stage.finder.handle(lost);
    assertEquals(stage.lookUps, 1, "at once");
    await stage.wait();
    stage.finder.handle(lost);
    assertEquals(stage.lookUps, 2);
    stage.finder.handle(BACK);
    await stage.wait();
    assertEquals(stage.lookUps, 2);
  }
  assertEquals(stage.moves, []);
});

Deno.test("DirectoryFinder tells new addresses once, and none where there are the same", async () => {
  const stage = new Stage("192.0.2.1", "192.0.2.2");
  stage.finder.handle(LOST);
  for (const hosts of [["192.0.2.2", "192.0.2.1"], undefined, ["192.0.2.9"], ["192.0.2.9"]]) {
    stage.hosts = hosts;
    await stage.wait();
  }
  assertEquals(stage.moves, [at("192.0.2.9")]);
});

Deno.test("DirectoryFinder resolves the name once when the client goes to another directory", async () => {
  const stage = new Stage("192.0.2.1", "192.0.2.2");
  stage.hosts = ["192.0.2.2", "192.0.2.9"];
  const [before, address] = at("192.0.2.1", "192.0.2.2") as [Address, Address];
  stage.finder.handle({ kind: "serverMoved", server, before, address, why: "silent" });
  await stage.wait();
  await stage.wait();
  assertEquals([stage.lookUps, stage.moves], [1, [at("192.0.2.2", "192.0.2.9")]]);
});

Deno.test("DirectoryFinder resolves the name no more once a client that was lost is at another directory", async () => {
  const stage = new Stage("192.0.2.1", "192.0.2.2");
  const [before, address] = at("192.0.2.1", "192.0.2.2") as [Address, Address];
  stage.finder.handle(LOST);
  await stage.wait();
  stage.finder.handle({ kind: "serverMoved", server, before, address, why: "silent" });
  for (let count = 0; count < 3; count++) await stage.wait();
  assertEquals(stage.lookUps, 3);
});

Deno.test("DirectoryFinder tells nothing that comes after the directory answered", async () => {
  const stage = new Stage("192.0.2.1");
  stage.hosts = ["192.0.2.9"];
  stage.finder.handle(LOST);
  stage.finder.handle(BACK);
  await stage.wait();
  assertEquals(stage.moves, []);
});

Deno.test("DirectoryFinder does not take a directory elsewhere for the one of this machine", async () => {
  for (const [before, after] of [["127.0.0.1", "192.0.2.1"], ["192.0.2.1", "::1"]] as const) {
    const stage = new Stage(before);
    stage.hosts = [after];
    stage.finder.handle(LOST);
    await stage.wait();
    assertEquals(stage.moves, []);
  }
});
