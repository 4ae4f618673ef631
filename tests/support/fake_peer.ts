/**
 * A peer that a test plays: it has keys of its own, and makes valid handshakes.
 *
 * @module
 */
import { assert } from "@std/assert";
import { type KeyPair, makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { type Instant, type Random, randomU32 } from "../../protocol/machine.ts";
import { RttEstimator } from "../../protocol/recovery/rtt.ts";
import { TIMER_POLICIES } from "../../protocol/recovery/timer_policy.ts";
import { IncomingHandshakes } from "../../protocol/session/incoming_handshakes.ts";
import { OutgoingHandshake } from "../../protocol/session/outgoing_handshake.ts";
import type { Session } from "../../protocol/session/session.ts";
import type { Address } from "../../protocol/wire/address.ts";
import { type Datagram, decodeDatagram } from "../../protocol/wire/datagram.ts";
import { type ConnectionRequest, DatagramType, type Frame } from "../../protocol/wire/frame.ts";

/** Where the played peers are, as far as they know. */
const ANYWHERE: Address = { hostname: "192.0.2.99", port: 99 };

/** What is known of a peer, all of it optional. */
export interface FakePeerFields {
  /** Its client id. */
  id?: number;
  /** Its name. */
  name?: string;
  /** Its static key. */
  identity?: KeyPair;
}

/** A peer with a session, once the handshake is over. */
abstract class FakePeer {
  readonly id: number;
  readonly name: string;
  readonly identity: KeyPair;
  protected readonly random: Random;
  #session: Session | undefined;

  constructor(
    random: Random,
    { id = 66, name = "", identity = makeKeyPair(random) }: FakePeerFields,
  ) {
    this.random = random;
    this.id = id;
    this.name = name;
    this.identity = identity;
  }

  /** The session. */
  get session(): Session {
    assert(this.#session !== undefined, "the handshake is not over");
    return this.#session;
  }

  protected set session(session: Session) {
    this.#session = session;
  }

  /** A Packet of the peer's. */
  seal(...frames: Frame[]): Uint8Array {
    const writer = this.session.start();
    for (const frame of frames) assert(writer.add(frame), "the packet is full");
    return this.session.seal().slice();
  }

  /** The frames of a Packet to the peer. */
  open(bytes: Uint8Array, now: Instant = 0): readonly Frame[] {
    const received = this.session.receive(now, decode(bytes), ANYWHERE);
    assert(received !== undefined, "the peer cannot open a packet");
    return received.frames;
  }
}

/** A peer that requests a connection. */
export class FakeRequester extends FakePeer {
  /** The Initiation. */
  readonly initiation: Uint8Array;
  /** Names the request. */
  readonly request: number;
  readonly #handshake: OutgoingHandshake;

  /** @param remoteKey the static key of the client that is requested. */
  constructor(random: Random, remoteKey: Uint8Array, fields: FakePeerFields = {}) {
    super(random, fields);
    const rtt = new RttEstimator(TIMER_POLICIES.adaptive);
    const { identity } = this;
    const localId = randomU32(random);
    const begun = OutgoingHandshake.begin({ identity, remoteKey, localId, rtt, random });
    assert(begun.ok);
    this.#handshake = begun.value;
    this.initiation = this.#handshake.encode(0).slice();
    this.request = randomU32(random);
  }

  /** Takes the Response; the session follows from it. */
  handleResponse(bytes: Uint8Array): void {
    const { header, frames: [frame] } = decode(bytes);
    assert(header.type === DatagramType.Response && frame?.kind === "response");
    const session = this.#handshake.handleResponse(0, frame, ANYWHERE);
    assert(session !== undefined, "the Response is not authentic");
    this.session = session;
  }

  /** The Connection Request, as a frame. */
  requestFrame(responder = 1): ConnectionRequest {
    const { request, id: requester, name } = this;
    return { kind: "connectionRequest", request, requester, responder, name };
  }
}

/** A peer that takes an Initiation. */
export class FakeResponder extends FakePeer {
  /** The Response. */
  readonly response: Uint8Array;

  /** @param initiation as the client under test sent it, to the static key of `fields.identity`. */
  constructor(random: Random, initiation: Uint8Array, fields: FakePeerFields) {
    super(random, fields);
    const { identity } = this;
    const policy = TIMER_POLICIES.adaptive;
    const localId = randomU32(random);
    const makeSessionId = () => localId;
    const handshakes = new IncomingHandshakes(0, { identity, policy, makeSessionId, random });
    const { frames: [frame] } = decode(initiation);
    assert(frame?.kind === "initiation");
    const response = handshakes.handleInitiation(0, initiation, frame, ANYWHERE);
    const session = handshakes.find(localId);
    assert(response !== undefined && session !== undefined, "the Initiation is not for this key");
    this.response = response.bytes.slice();
    this.session = session;
  }
}

function decode(bytes: Uint8Array): Datagram {
  const decoded = decodeDatagram(bytes.slice());
  assert(decoded.ok);
  return decoded.value;
}
