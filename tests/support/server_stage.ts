/**
 * A directory on virtual time, and the datagrams that tests send to it.
 *
 * @module
 */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import type { Address } from "../../protocol/wire/address.ts";
import { decodeDatagram, encodeDatagram } from "../../protocol/wire/datagram.ts";
import {
  DATAGRAM_SIZE_MAX,
  DatagramType,
  type Frame,
  type Register,
  type Registered,
} from "../../protocol/wire/frame.ts";
import { Prover } from "../../protocol/crypto/proof.ts";
import { Server, type ServerOptions } from "../../server/server.ts";
import { Prng } from "./random.ts";

/** The lease in milliseconds. */
export const LEASE = 45_000;
/** The static key of client `n`. */
export function publicKeyOf(n: number): Uint8Array {
  return new Uint8Array(32).fill(n).fill(n >> 8, 0, 1).fill(n >> 16, 1, 2);
}

/** An empty token or cookie. */
export const ZERO = new Uint8Array(16);

/** A directory on virtual time, and clients at any address. */
export class Stage {
  now = 1_000_000;
  readonly server: Server;
  readonly #prover: Prover | undefined;

  constructor(options: Partial<ServerOptions> = {}) {
    const random = new Prng(1).bytes;
    this.#prover = options.secret && new Prover(options.secret);
    this.server = new Server({ maxClients: 10_000, lease: LEASE, random, ...options });
  }

  /** Gives the directory a datagram; returns its answers. */
  deliver(bytes: Uint8Array, from: Address): Uint8Array[] {
    this.server.handleDatagram(this.now, bytes, from);
    return this.takeSent().map(({ bytes, to }) => {
      assertEquals(to, from);
      return bytes;
    });
  }

  takeSent(): { bytes: Uint8Array; to: Address }[] {
    const sent: { bytes: Uint8Array; to: Address }[] = [];
    for (let next = this.server.pollTransmit(); next; next = this.server.pollTransmit()) {
      assertLessOrEqual(next.bytes.length, DATAGRAM_SIZE_MAX);
      sent.push({ bytes: next.bytes.slice(), to: next.to });
    }
    return sent;
  }

  /** Sends requests in one datagram, with a proof if there is a secret; returns the answers. */
  askAll(frames: readonly Frame[], from: Address): Frame[] {
    const bytes = requestBytes(frames);
    const answers = this.deliver(this.#prover?.prove(bytes) ?? bytes, from);
    for (const answer of answers) assert(this.#prover?.isProven(answer) !== false);
    return answers.flatMap(framesOf).filter(({ kind }) => kind !== "proof");
  }

  /** Sends a request; returns its answer, which must echo the nonce. */
  ask(frame: Frame & { nonce: bigint }, from: Address): Frame {
    const [answer, ...more] = this.askAll([frame], from);
    assert(answer !== undefined && "nonce" in answer);
    assertEquals([answer.nonce, more], [frame.nonce, []]);
    return answer;
  }

  /** Sends a Register twice, the second time with the cookie. */
  register(frame: Register, from: Address): Frame {
    const challenge = this.ask(frame, from);
    assert(challenge.kind === "challenge");
    return this.ask({ ...frame, cookie: challenge.cookie }, from);
  }

  /** Registers client `n` from its port. */
  join(n: number, fields: Partial<Register> = {}): Registered {
    const answer = this.register(registerFrame(n, fields), client(n));
    assert(answer.kind === "registered");
    return answer;
  }

  /** The events since the last call, in short. */
  takeEvents(): string[] {
    const events: string[] = [];
    for (let event = this.server.pollEvent(); event; event = this.server.pollEvent()) {
      if (event.kind === "table") {
        const ids = Array.from(event.clients, ({ id }) => id);
        assertEquals(event.size, ids.length);
        events.push(`table ${ids.join(" ")}`.trim());
      } else {
        events.push(`${event.kind} ${event.client.id} ${event.client.address.port}`);
      }
    }
    return events;
  }
}

/** The address of client `n`. */
export function client(n: number): Address {
  return { hostname: "127.0.0.1", port: 40_000 + n };
}

/** A Register of client `n`, with nonce `n`. */
export function registerFrame(n: number, fields: Partial<Register> = {}): Register {
  const nonce = BigInt(n);
  return {
    kind: "register",
    nonce,
    token: ZERO,
    cookie: ZERO,
    wantedId: 0,
    port: 40_000 + n,
    publicKey: publicKeyOf(n),
    name: "",
    ...fields,
  };
}

/** A Request datagram. */
export function requestBytes(frames: readonly Frame[]): Uint8Array {
  return encodeDatagram({ type: DatagramType.Request, connection: 0, packet: 0 }, frames);
}

/** The frames of an Answer datagram. */
export function framesOf(bytes: Uint8Array): Frame[] {
  const decoded = decodeDatagram(bytes);
  assert(decoded.ok && !decoded.value.sealed);
  assertEquals(decoded.value.header, { type: DatagramType.Answer, connection: 0, packet: 0 });
  return decoded.value.frames;
}
