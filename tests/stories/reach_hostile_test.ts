// What nobody can make a client do by what helps clients to meet.
import { assert, assertEquals } from "@std/assert";
import { Registrar } from "../../protocol/directory/registrar.ts";
import { makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { PRIVATE_TRIES, PUNCH_SCHEDULE } from "../../protocol/session/path.ts";
import { Session } from "../../protocol/session/session.ts";
import { type Address, hostToBytes, sameAddress } from "../../protocol/wire/address.ts";
import { CANDIDATES_LENGTH_MAX, DatagramType } from "../../protocol/wire/frame.ts";
import type { Datagram } from "../sim/datagram.ts";
import { PUBLIC_DIRECTORY } from "../sim/sites.ts";
import { toHex } from "../support/hex.ts";
import { pairStory, type ReachStage } from "./reach.ts";
import { Actor } from "./stage.ts";

/** Somebody who did not ask. */
const VICTIM: Address = { hostname: "198.51.100.66", port: 66 };

/** Sends a client something on the internet, as if it came from the directory. */
function sendAsDirectory(stage: ReachStage, to: Actor, bytes: Uint8Array): void {
  stage.network.transmit(PUBLIC_DIRECTORY, to.host.address, bytes, true);
}

/** How many datagrams a client sent to an address. */
function countTo(stage: ReachStage, from: Actor, address: Address): number {
  return stage.datagrams(from).filter(({ target }) =>
    target !== undefined && sameAddress(target, address)
  ).length;
}

/** The Notices with a Meeting that a client got. */
function noticesTo(stage: ReachStage, { name }: Actor): Datagram[] {
  return stage.datagrams().filter((each) =>
    each.to === name && each.bytes[3] === DatagramType.Notice && each.frame("meeting") !== undefined
  );
}

/** When a client sent Punches for a meeting. */
function punches(stage: ReachStage, from: Actor): number[] {
  return stage.datagrams(from).filter((each) => (each.frame("punch")?.number ?? 0n) !== 0n)
    .map(({ time }) => time);
}

pairStory("a forged Meeting leads to nothing", [["public", "public"]], (stage) => {
  const { ana, ben, network: { prng } } = stage;
  const registrar = new Registrar({ identity: makeKeyPair(prng.bytes), random: prng.bytes });
  stage.call(stage.after(0) + 2_000);
  const [real] = noticesTo(stage, ben);
  assert(real !== undefined && real.decoded.ok);
  const { header: { session } } = real.decoded;
  const meeting = { ...real.frame("meeting")!, addresses: [VICTIM] };
  for (let packet = 1; packet <= 50; packet++) {
    // Under a key that is not the client's, and with some bits of a real one changed.
    const forged = registrar.encodeNotice(prng.bytes(32), session, packet, meeting);
    sendAsDirectory(stage, ben, forged);
    const changed = real.bytes.slice();
    changed[4 + prng.int(changed.length - 4)]! ^= 1 + prng.int(255);
    sendAsDirectory(stage, ben, changed);
  }
  stage.wait(10_000);
  assertEquals(countTo(stage, ben, VICTIM), 0);
  assertEquals(punches(stage, ben).length, PUNCH_SCHEDULE.length);
  assertEquals([ana.errors, ben.errors], [[], []]);
});

pairStory("a replayed Meeting leads to nothing", [["public", "public"]], (stage) => {
  const { ana, ben } = stage;
  stage.call(stage.after(0) + 2_000);
  stage.wait(3_000);
  const [real] = noticesTo(stage, ben);
  // In a conversation it would have ana challenged where she is; without one, she would be punched.
  for (const kind of ["pathChallenge", "punch"] as const) {
    const before = stage.times(kind, ben).length;
    for (let copies = 0; copies < 10; copies++) {
      sendAsDirectory(stage, ben, real!.bytes);
      stage.wait(50);
    }
    assertEquals(stage.times(kind, ben).length, before, kind);
    if (ana.view.state === "connected") ana.terminate();
    stage.wait(3_000);
  }
  assertEquals(ben.view.state, "idle");
});

/** Names addresses to ben as ana, in as many lists as it takes: he believes that each is hers. */
type Name = (...addresses: readonly Address[]) => void;

/** A story in which an attacker has ana's end of the session, so that it can name addresses. */
function naming(body: (stage: ReachStage, name: Name) => void): (stage: ReachStage) => void {
  return (stage) => {
    const sessions = new Set<Session>();
    const { tell } = Session.prototype;
    Session.prototype.tell = function (this: Session, ...args): void {
      sessions.add(this);
      tell.apply(this, args);
    };
    try {
      body(stage, (...addresses) => nameIn([...sessions], stage, addresses));
    } finally {
      Session.prototype.tell = tell;
    }
  };
}

function nameIn(
  sessions: readonly Session[],
  { ana, ben, network, sides }: ReachStage,
  addresses: readonly Address[],
): void {
  const session = sessions.findLast(({ remoteKey }) => toHex(remoteKey) === toHex(ben.key));
  assert(session !== undefined);
  const { realm, address: from } = sides[0];
  for (let at = 0; at < addresses.length; at += CANDIDATES_LENGTH_MAX) {
    const listed = addresses.slice(at, at + CANDIDATES_LENGTH_MAX);
    const bytes = session.encode({ kind: "candidates", addresses: listed }).slice();
    network.send({ realm, from, to: ben.host.address }, bytes);
  }
  assertEquals(ana.view.state, "connected");
}

pairStory(
  "of 1,000 candidates that a peer lists 8 are challenged, twice each",
  ["lan"],
  naming((stage, name) => {
    stage.call(stage.after(0) + 2_000);
    // What she is at herself has been told by now.
    stage.wait(60_000);
    const since = stage.now;
    const listed = Array.from({ length: 1000 }, (_, index) => ({
      hostname: `10.${index >> 8}.${index & 0xff}.7`,
      port: 1 + index,
    }));
    name(...listed);
    stage.wait(10_000);
    const hosts = new Set(listed.map(({ hostname }) => hostname));
    const sent = stage.datagrams(stage.ben, since).filter(({ target }) =>
      hosts.has(target!.hostname)
    );
    assert(
      sent.length > 0 && sent.length <= PRIVATE_TRIES * CANDIDATES_LENGTH_MAX,
      `${sent.length}`,
    );
    assertEquals(stage.paths(), ["lan", "lan"]);
  }),
);

/** Hosts that are nobody's peer, and how many datagrams may go there. */
const POINTED_AT = {
  "192.168.1.1": PRIVATE_TRIES,
  "192.168.1.255": PRIVATE_TRIES,
  "127.0.0.1": 0,
  "::1": 0,
  "::ffff:127.0.0.1": 0,
  "0.0.0.0": 0,
  "255.255.255.255": 0,
  "224.0.0.251": 0,
  "239.255.255.250": 0,
  "ff02::fb": 0,
  "169.254.169.254": 0,
  "fe80::1": 0,
  "100::7": 0,
  [VICTIM.hostname]: 0,
};

for (const [hostname, most] of Object.entries(POINTED_AT)) {
  pairStory(
    `a candidate that points at ${hostname} gets ${most} datagrams`,
    ["lan"],
    naming((stage, name) => {
      stage.call(stage.after(0) + 2_000);
      const pointed = { hostname, port: 53 };
      name(pointed, pointed);
      name(pointed);
      stage.wait(30_000);
      assertEquals(countTo(stage, stage.ben, pointed), most);
      assertEquals(stage.paths(), ["lan", "lan"]);
    }),
  );
}

pairStory(
  "a peer that is not near may name as many candidates as it likes: none is challenged",
  [["port-cone", "public"]],
  naming((stage, name) => {
    stage.call(stage.after(0) + 2_000);
    const since = stage.now;
    const pointed = { hostname: "192.168.1.1", port: 53 };
    name(pointed);
    stage.wait(10_000);
    assertEquals(countTo(stage, stage.ben, pointed), 0);
    const named = stage.datagrams(stage.ana, since).filter((each) => each.frame("candidates"));
    assertEquals(named.map(({ fate }) => fate), ["delivered"]);
  }),
);

pairStory(
  "the owner of a blocked key is not met",
  [["public", "public"], ["port-cone", "port-cone"], ["symmetric", "port-cone"], "lan"],
  (stage) => {
    const { ana, ben, sides } = stage;
    ben.restart({ isBlocked: (key) => toHex(key) === toHex(ana.key) });
    stage.wait(500);
    const since = stage.now;
    ana.connect("ben");
    stage.wait(60_000);
    assertEquals([punches(stage, ben), stage.times("carry", ben, since)], [[], []]);
    assertEquals([ben.events("request"), ben.events("connected")], [[], []]);
    // What comes by itself, where nothing is between them, gets an ordinary Reject.
    const isOpen = sides[1].nats.length === 0;
    const toAna = stage.datagrams(ben, since).filter(({ to }) => to === "ana");
    assertEquals(toAna.length > 0, isOpen);
  },
);

/** Whether an address is in these bytes, as frames have it. */
function isIn(bytes: Uint8Array, { hostname, port }: Address): boolean {
  const coded = toHex(hostToBytes(hostname)!) + port.toString(16).padStart(4, "0");
  return toHex(bytes).includes(coded);
}

pairStory(
  "no address of a private network reaches the directory, or a peer behind another public address",
  [
    ["port-cone", "port-cone"],
    ["symmetric", "port-cone"],
    ["double", "double-sym"],
    ["public", "full-cone"],
    ...["lan", "lan-hairpin", "subnets", "cgn", "cgn-hairpin"] as const,
  ],
  (stage) => {
    const { ana, ben, sides } = stage;
    stage.call(stage.after(0) + 2_000);
    stage.talk(30_000);
    stage.rebind("ana", "ports");
    stage.talk(stage.after(0) + 15_000);
    const own = sides.filter(({ nats }) => nats.length > 0).map(({ address }) => address);
    const isNear = sides[0].nats.at(-1) === sides[1].nats.at(-1);
    const all = [...stage.datagrams(ana), ...stage.datagrams(ben)];
    for (const datagram of all) {
      if (datagram.to !== "directory") continue;
      assert(datagram.decoded.ok && !datagram.decoded.isUnknown, "unreadable");
      const { frames, carried, bytes } = datagram;
      const text = Deno.inspect(frames.filter(({ kind }) => kind !== "carry"), { depth: 9 });
      for (const address of own) {
        assert(!text.includes(address.hostname), text);
        // What it carries is sealed for the peer.
        assert(![bytes, carried?.bytes ?? bytes].some((each) => isIn(each, address)), text);
      }
    }
    const naming = all.filter((each) => (each.carried ?? each).frame("candidates") !== undefined);
    assertEquals(naming.length > 0, isNear);
  },
);

pairStory(
  "a call rings within a second while thirty others use up what a directory tells a client",
  [["port-cone", "port-cone"], ["symmetric", "port-cone"], ["symmetric", "symmetric"]],
  (stage) => {
    const { ana, network: { internet } } = stage;
    const others = Array.from({ length: 30 }, (_, index) => {
      const name = `eve${index}`;
      const place = { realm: internet, address: { hostname: `203.0.${index}.7`, port: 4000 } };
      return new Actor(stage, name, place, { name, directoryAddresses: [PUBLIC_DIRECTORY] });
    });
    stage.wait(3_000);
    // Each calls ben twice a second, as often as a directory lets one address.
    const flood = (ms: number): void => {
      for (let at = 0; at < ms; at += 100) {
        for (const [index, eve] of others.entries()) {
          if (index % 5 !== at / 100 % 5) continue;
          eve.cancel();
          eve.connect("ben");
        }
        stage.wait(100);
      }
    };
    flood(4_000);
    ana.connect("ben");
    flood(1_000);
    assertEquals(ana.events("ringing").length, 1);
  },
  { modes: ["adaptive"], options: { acceptAll: false } },
);
