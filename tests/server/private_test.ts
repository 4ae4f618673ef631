import { assert, assertEquals } from "@std/assert";
import { DirectorySecret } from "../../protocol/directory/registration_key.ts";
import { encodeDatagram } from "../../protocol/wire/datagram.ts";
import { DatagramType, type Frame } from "../../protocol/wire/frame.ts";
import {
  assertNoEffect,
  client,
  decoded,
  FakeClient,
  publicKeyOf,
  Stage,
  ZERO,
} from "../support/server_stage.ts";

const SECRET = new TextEncoder().encode("correct horse battery staple");
const NEW_SECRET = new TextEncoder().encode("correct horse battery stable");
const OTHER = new DirectorySecret(NEW_SECRET);

const REQUESTS: readonly Frame[] = [
  { kind: "leaseKeepalive" },
  { kind: "lookUp", id: 1, name: "" },
  { kind: "list", after: 0 },
  { kind: "leave" },
];

/** The offset of the mac in Credentials. */
const MAC = 16 + 3 + 8 + 16 + 32;

Deno.test("a private Server serves clients with the secret, and shows that it has it", () => {
  const stage = new Stage({ secret: SECRET });
  stage.join(1, { name: "ana" });
  const bob = stage.join(2, { name: "bob" });
  const found = bob.ask({ kind: "lookUp", id: 1, name: "" });
  assert(found.kind === "found");
  assertEquals(found.publicKey, publicKeyOf(1));
  assertEquals(bob.ask({ kind: "leave" }).kind, "leaveAck");
  assertEquals(bob.ask({ kind: "leave" }).kind, "leaveAck");
  assertEquals(stage.server.dropped, {});
  // The mac of a Challenge covers all that is before it.
  const [challenge] = stage.deliver(bob.firstBytes(), client(2));
  const secret = new DirectorySecret(SECRET);
  assert(secret.isSigned(challenge!));
  for (const at of [3, 16 + 3, 16 + 3 + 8, MAC - 1]) {
    assert(!secret.isSigned(challenge!.with(at, challenge![at]! ^ 1)), `byte ${at}`);
  }
});

Deno.test("a private Server answers no Register without the mac of its secret", () => {
  const stage = new Stage({ secret: SECRET });
  const ana = new FakeClient(stage, 1);
  const strangers = [undefined, OTHER].map((secret) => new FakeClient(stage, 2, { secret }));
  for (const stranger of strangers) {
    const first = stranger.firstBytes();
    assertNoEffect(stage, () => stranger.send(first));
  }
  const first = ana.firstBytes();
  ana.begin();
  const second = ana.registerBytes({ name: "ana" });
  for (const bytes of [first, second]) {
    for (const at of [16 + 3, 16 + 3 + 8, 16 + 3 + 8 + 16, MAC, MAC + 15]) {
      assertNoEffect(stage, () => ana.send(bytes.with(at, bytes[at]! ^ 1)));
    }
    const without = bytes.slice();
    without.set(ZERO, MAC);
    assertNoEffect(stage, () => ana.send(without));
  }
  assertEquals(stage.server.dropped, { secret: 2 + 2 * 6 });
  assertEquals(ana.send(second)?.kind, "registered");
});

Deno.test("a private Server mixes its secret into the key of a registration, beside the mac", () => {
  const stage = new Stage({ secret: SECRET });
  const ana = new FakeClient(stage, 1);
  const challenge = ana.begin();
  for (const secret of [new DirectorySecret(new Uint8Array(16)), OTHER]) {
    ana.agree(challenge, secret);
    assertNoEffect(stage, () => ana.send(ana.registerBytes()));
  }
  assertEquals(stage.server.dropped, { forged: 2 });
  ana.agree(challenge);
  assertEquals(ana.askToRegister().kind, "registered");
});

Deno.test("a private Server answers strangers neither Unknown nor Version", () => {
  const stage = new Stage({ secret: SECRET });
  const ana = stage.join(1, { name: "ana" });
  const stranger = new FakeClient(stage, 2);
  for (const id of [1, 9]) {
    for (const size of [0, 20]) {
      const bytes = new Uint8Array(16 + size);
      bytes.set(encodeDatagram({ type: DatagramType.Request, session: id, packet: 1 }, []));
      for (const each of [bytes, bytes.with(2, 2)]) {
        assertNoEffect(stage, () => stranger.send(each));
        assertNoEffect(stage, () => ana.send(each));
      }
    }
  }
  for (const frame of REQUESTS) {
    const bytes = ana.requestBytes(frame);
    assertNoEffect(stage, () => ana.send(bytes.with(16, bytes[16]! ^ 1)));
  }
  assertEquals(ana.ask({ kind: "leaseKeepalive" }).kind, "leaseKeepaliveAck");
});

Deno.test("a private Server tells a client whose address has changed to register again, once for each request", () => {
  const stage = new Stage({ secret: SECRET });
  const ana = stage.join(1, { name: "ana" });
  ana.address = client(3);
  for (const frame of REQUESTS) {
    const bytes = ana.requestBytes(frame);
    const [unknown, ...more] = stage.deliver(bytes, ana.address);
    assertEquals([unknown?.[3], unknown?.length, more], [DatagramType.Unknown, 16, []]);
    for (const address of [client(1), client(3), client(4)]) {
      assertEquals(stage.deliver(bytes, address), [], "what was recorded");
    }
  }
  assertEquals(stage.takeEvents().length, 2);
});

Deno.test("a private Server gives nothing but a Challenge for what was recorded", () => {
  const stage = new Stage({ secret: SECRET });
  const ana = new FakeClient(stage, 1);
  const first = ana.firstBytes();
  ana.begin();
  const second = ana.registerBytes({ name: "ana" });
  assertEquals(ana.send(second)?.kind, "registered");
  const requests = REQUESTS.map((frame) => ana.requestBytes(frame));
  for (const bytes of requests.slice(0, -1)) assert(ana.send(bytes) !== undefined);
  stage.takeEvents();
  for (const from of [client(2), { hostname: "192.0.2.7", port: 7 }]) {
    // A listener gets a cookie for its own address, but cannot sign a Register with it.
    for (const recorded of [first, second]) {
      const [answer, ...more] = stage.deliver(recorded, from);
      assertEquals(more, []);
      const [challenge] = decoded(answer!).frames;
      assert(challenge?.kind === "challenge" && answer!.length <= recorded.length);
      const spliced = recorded.slice();
      spliced.set(challenge.cookie, 16 + 3 + 8);
      assertEquals(stage.deliver(spliced, from), []);
    }
    for (const bytes of requests.slice(0, -1)) assertEquals(stage.deliver(bytes, from), []);
  }
  // With a forged source address, too.
  for (const bytes of [second, ...requests.slice(0, -1)]) {
    assertNoEffect(stage, () => ana.send(bytes));
  }
  assertEquals(ana.send(requests.at(-1)!)?.kind, "leaveAck");
  assertEquals(stage.takeEvents(), ["left 1 40001", "table"]);
  for (const bytes of [second, ...requests]) assertNoEffect(stage, () => ana.send(bytes));
});

Deno.test("a public Server does not look at the mac, and answers with none", () => {
  const stage = new Stage();
  const ana = new FakeClient(stage, 1, { secret: OTHER });
  const [answer] = stage.deliver(ana.firstBytes(), client(1));
  const [challenge] = decoded(answer!).frames;
  assert(challenge?.kind === "challenge");
  assertEquals(challenge.mac, ZERO);
  assertEquals(stage.server.dropped, {});
});

Deno.test("a private Server asks for another secret from now on, and keeps who is registered", () => {
  const stage = new Stage({ secret: SECRET });
  const ana = stage.join(1, { name: "ana" });
  stage.server.changeSecret(NEW_SECRET);
  assertEquals(ana.ask({ kind: "leaseKeepalive" }).kind, "leaseKeepaliveAck");
  const [late, bob] = [new FakeClient(stage, 3), new FakeClient(stage, 2, { secret: OTHER })];
  assertNoEffect(stage, () => late.send(late.firstBytes()));
  bob.begin();
  assertEquals(bob.send(bob.registerBytes({ name: "bob" }))?.kind, "registered");
});
