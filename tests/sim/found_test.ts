// What the seeds found, each as a story of its own.
import { assertEquals } from "@std/assert";
import { encodeDatagram } from "../../protocol/wire/datagram.ts";
import { DatagramType } from "../../protocol/wire/frame.ts";
import { toHex } from "../support/hex.ts";
import { type Actor, DIRECTORY, type Stage, story } from "../stories/stage.ts";

/** Sends a client a Challenge for the registration that it is making. */
function challenge(stage: Stage, client: Actor, publicKey: Uint8Array): void {
  const all = stage.datagrams(client).map((each) => each.frame("credentials"));
  const { nonce } = all.findLast((each) => each !== undefined)!;
  const header = { type: DatagramType.Challenge, session: 0, packet: 0 };
  const bytes = encodeDatagram(header, [
    { kind: "challenge", nonce, cookie: new Uint8Array(16), publicKey, mac: new Uint8Array(16) },
  ]);
  stage.network.transmit(DIRECTORY, client.host.address, bytes, true);
}

story("an answer to something else does not stand for that to a Lease Keepalive", (stage) => {
  const [ana] = stage.clients("ana") as [Actor];
  stage.network.script((datagram) => datagram.frame("leaseKeepalive") && "drop");
  stage.wait(16_000);
  ana.list();
  stage.wait(1_000);
  assertEquals(ana.events("list").length, 1);
  stage.directory.crash();
  stage.wait(20_000);
  assertEquals(ana.events("serverLost").length, 1);
});

story("a forged Challenge does not say that the directory is back", (stage) => {
  const [ana] = stage.clients("ana") as [Actor];
  const { serverKey } = ana.last("registered");
  stage.directory.crash();
  stage.wait(60_000);
  assertEquals(ana.events("serverLost").length, 1);
  challenge(stage, ana, serverKey);
  stage.wait(60_000);
  assertEquals(ana.events("serverBack"), []);
});

story("a forged Challenge among true ones does not end a registration", (stage) => {
  const [ana] = stage.clients("ana") as [Actor];
  const { serverKey } = ana.last("registered");
  const trust = {
    isTrusted: (key: Uint8Array) => toHex(key) === toHex(serverKey),
    refusal: () => "has another key",
  };
  const ben = stage.client("ben", { trust });
  challenge(stage, ben, ana.key);
  stage.network.script((datagram) =>
    datagram.time < 14_000 && datagram.frame("registered") ? "drop" : undefined
  );
  stage.wait(25_000);
  assertEquals(ben.errors, []);
  assertEquals(ben.events("registered").length, 1);
});

story("what ended in favour of a connection is told before it", (stage) => {
  const ana = stage.client("ana", { acceptAll: true });
  stage.wait(100);
  const ben = stage.client("ben");
  stage.wait(100);
  ben.connect("ana");
  stage.wait(300);
  stage.network.script((datagram) => datagram.frame("connectionTerminationAck") && "drop");
  ana.terminate();
  stage.wait(500);
  ben.connect("ana");
  stage.wait(300);
  const kinds = ana.host.events.map(({ event }) => event.kind)
    .filter((kind) => kind === "connected" || kind === "terminated");
  assertEquals(kinds, ["connected", "terminated", "connected"]);
});

story("a request that was overtaken by its cancellation does not ring", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
  stage.delay("connectionRequest", 500);
  ana.connect(ben.id);
  stage.wait(150);
  ana.cancel();
  stage.wait(1_000);
  assertEquals(stage.times("connectionRequest").length, 1);
  assertEquals(ben.events("request"), []);
});

story("a user who is asked already is not asked again when a look-up fails", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
  ana.connect(ben.id);
  stage.wait(200);
  // The cancellation is lost, so that the request stays, and a new one takes its place.
  stage.network.script((datagram) => datagram.frame("connectionTermination") && "drop");
  ana.cancel();
  stage.network.cut("ben", "directory");
  ben.connect("ana");
  stage.wait(100);
  ana.connect(ben.id);
  stage.wait(300);
  ben.cancel();
  stage.wait(300);
  assertEquals(ben.events("request").length, 1);
});

story("both users verify the same digits after a request went on in another session", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
  // From the Accept on, nothing of ben's arrives in the first session.
  let first: number | undefined;
  stage.network.script((datagram) => {
    const { from, decoded, frames } = datagram.carried ?? datagram;
    const isPacket = decoded.ok && decoded.header.type === DatagramType.Packet;
    if (from !== "ben" || !isPacket) return undefined;
    const { session } = decoded.header;
    if (frames.some(({ kind }) => kind === "connectionAccept")) first ??= session;
    return session === first ? "drop" : undefined;
  });
  ana.connect(ben.id);
  stage.wait(200);
  ben.accept(ana.id);
  stage.wait(60_000);
  assertEquals(ben.events("connected").length, 1);
  assertEquals(ben.events("returned"), []);
  assertEquals(toHex(ben.last("renewed").hash), toHex(ana.last("connected").hash));
});
