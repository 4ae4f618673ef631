import { assert, assertEquals } from "@std/assert";
import { DATAGRAM_SIZE_MAX, type Listing, type Register } from "../../protocol/wire/frame.ts";
import { Prover } from "../../protocol/crypto/proof.ts";
import {
  client,
  framesOf,
  publicKeyOf,
  registerFrame,
  requestBytes,
  Stage,
  ZERO,
} from "../support/server_stage.ts";

const SECRET = new TextEncoder().encode("correct horse battery staple");
const OTHER = new TextEncoder().encode("correct horse battery stable");

/** Adds the proof of the secret to a datagram. */
function proven(...frames: Parameters<typeof requestBytes>[0]): Uint8Array {
  return new Prover(SECRET).prove(requestBytes(frames));
}

Deno.test("a private Server serves clients with the secret, and proves that it has it", () => {
  const stage = new Stage({ secret: SECRET });
  const ana = stage.join(1, { name: "ana" });
  const { token } = stage.join(2, { name: "bob" });
  const found = stage.ask({ kind: "lookUp", nonce: 9n, token, id: ana.id, name: "" }, client(2));
  assert(found.kind === "found");
  assertEquals(found.publicKey, publicKeyOf(1));
  assertEquals(stage.ask({ kind: "leave", nonce: 9n, token }, client(2)).kind, "leaveAck");
  assertEquals(stage.server.dropped, {});
});

Deno.test("a private Server drops and counts datagrams without a valid proof", () => {
  const stage = new Stage({ secret: SECRET });
  const { token } = stage.join(1, { name: "ana" });
  stage.takeEvents();
  const timeout = stage.server.nextTimeout();
  const requests = [
    registerFrame(2),
    registerFrame(1, { token }),
    { kind: "leaseKeepalive", nonce: 2n, token },
    { kind: "lookUp", nonce: 3n, token, id: 1, name: "" },
    { kind: "list", nonce: 5n, token, after: 0 },
    { kind: "leave", nonce: 6n, token },
  ] as const;
  let count = 0;
  for (const request of requests) {
    const bare = requestBytes([request]);
    const ahead = proven(request);
    const attempts = [
      bare,
      new Prover(OTHER).prove(bare),
      requestBytes([request, { kind: "proof", code: ZERO }]),
      // A valid proof that is not at the end, and one of another datagram.
      Uint8Array.from([...ahead, 0, 0, 0]),
      Uint8Array.from([...bare, ...proven().subarray(-19)]),
      bare.with(2, 9),
      new Uint8Array(5),
      new Uint8Array(1201),
    ];
    for (const bytes of attempts) assertEquals(stage.deliver(bytes, client(1)), []);
    count += attempts.length;
  }
  assertEquals(stage.server.dropped, { proof: count });
  assertEquals([stage.takeEvents(), stage.server.nextTimeout()], [[], timeout]);
  assertEquals(stage.server.table().size, 1);
});

Deno.test("a private Server gives nothing for a replayed Register", () => {
  const stage = new Stage({ secret: SECRET });
  const first = proven(registerFrame(1, { name: "ana" }));
  const [challenge] = stage.deliver(first, client(1)).flatMap(framesOf);
  assert(challenge?.kind === "challenge");
  const { cookie } = challenge;
  const second = proven(registerFrame(1, { name: "ana", cookie }));
  const [granted] = stage.deliver(second, client(1)).flatMap(framesOf);
  assert(granted?.kind === "registered");
  stage.takeEvents();
  for (const from of [client(2), { hostname: "192.0.2.7", port: 7 }]) {
    // A listener gets a cookie for its own address, but cannot prove a Register with it.
    for (const recorded of [first, second]) {
      const [answer] = stage.deliver(recorded, from).flatMap(framesOf);
      assert(answer?.kind === "challenge");
      const register: Register = registerFrame(1, { name: "ana", cookie: answer.cookie });
      assertEquals(stage.deliver(requestBytes([register]), from), []);
      const spliced = recorded.slice();
      spliced.set(answer.cookie, 16 + 3 + 8 + 16);
      assertEquals(stage.deliver(spliced, from), []);
    }
  }
  // With a forged source address, too: the client there stays registered, and gets the answer.
  assertEquals(stage.deliver(second, client(1)).flatMap(framesOf)[0], granted);
  stage.deliver(proven({ kind: "leave", nonce: 9n, token: granted.token }), client(1));
  assertEquals(stage.takeEvents(), ["left 1 40001", "table"]);
  assertEquals(stage.deliver(second, client(1)), []);
  assertEquals(stage.takeEvents(), []);
});

Deno.test("a private Server leaves space for the proof in its answers", () => {
  const stage = new Stage({ secret: SECRET, hasSourceLimits: false });
  let { token } = stage.join(1);
  for (let n = 2; n <= 300; n++) token = stage.join(n).token;
  const [page] = stage.askAll([{ kind: "list", nonce: 9n, token, after: 0 }], client(300));
  assertEquals((page as Listing).clients.length, Math.floor((DATAGRAM_SIZE_MAX - 19 - 29) / 5));
  // As many answers as fit into a datagram.
  const lookUps = Array.from({ length: 20 }, (_, index) => (
    { kind: "lookUp", nonce: BigInt(index), token, id: index + 1, name: "" } as const
  ));
  assertEquals(
    stage.askAll(lookUps, client(300)).map(({ kind }) => kind),
    lookUps.map(() => "found"),
  );
});

Deno.test("a private Server proves its answer to another version", () => {
  const stage = new Stage({ secret: SECRET });
  const prover = new Prover(SECRET);
  const bytes = prover.prove(requestBytes([]).with(2, 9));
  const [answer, ...more] = stage.deliver(bytes, client(1));
  assert(answer !== undefined && prover.isProven(answer) && more.length === 0);
  assertEquals([answer.length, answer[2], answer[3]], [bytes.length, 1, 255]);
});

Deno.test("a public Server ignores proofs", () => {
  const stage = new Stage();
  const [answer] = stage.deliver(proven(registerFrame(1)), client(1)).flatMap(framesOf);
  assertEquals(answer?.kind, "challenge");
  assertEquals(stage.server.dropped, {});
});
