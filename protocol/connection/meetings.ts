/**
 * The peers that the directory told this client of, and the Punches that let their Initiations in.
 *
 * @module
 */
import { isSameKey } from "../crypto/x25519.ts";
import type { Instant, Transmit } from "../machine.ts";
import { PUNCH_SCHEDULE } from "../session/path.ts";
import { carriedTo, isCarried } from "../wire/remote.ts";
import type { Whereabouts } from "../session/session.ts";
import { earlier } from "../timers.ts";
import type { Address } from "../wire/address.ts";
import { encodeDatagram } from "../wire/datagram.ts";
import { DatagramType, FLAG_NEAR, type Meeting, PUNCH_SIZE } from "../wire/frame.ts";
import { MappingKeepalive } from "./mapping_keepalive.ts";

/** Meetings that are remembered; of more, the oldest is forgotten. */
export const MEETINGS_MAX = 32;
/** Milliseconds that a meeting is remembered: its number is good for no longer. */
export const MEETING_LIFE = 60_000;
/** Peers that Punches go to at a time. */
export const PUNCHINGS_MAX = 4;

/** What a directory carries for clients. */
export const CARRIED_TYPES: ReadonlySet<DatagramType> = new Set([
  ...[DatagramType.Initiation, DatagramType.Response, DatagramType.Cookie, DatagramType.Packet],
]);

/** A meeting, and its Punches. */
interface Met {
  readonly meeting: Meeting;
  readonly at: Instant;
  /** Punches that were sent to each address. */
  punches: number;
  punchAt: Instant;
}

/** The latest meetings, one for each peer. */
export class Meetings {
  readonly #own: () => readonly Address[];
  readonly #isInUse: (id: number) => boolean;
  #met: Met[] = [];
  #due: Transmit[] = [];
  readonly #keepalive = new MappingKeepalive();

  /**
   * Begins with none.
   *
   * @param own where this client may be reached in its own network.
   * @param isInUse whether this client talks with a peer, or calls it: what is carried needs its meeting.
   */
  constructor(own: () => readonly Address[], isInUse: (id: number) => boolean = () => false) {
    this.#own = own;
    this.#isInUse = isInUse;
  }

  /** Takes note of a meeting. */
  add(now: Instant, meeting: Meeting): void {
    this.#met = this.#met.filter(({ meeting: { id } }) => id !== meeting.id);
    if (this.#met.length >= MEETINGS_MAX) {
      const oldest = this.#met.findIndex(({ meeting: { id } }) => !this.#isInUse(id));
      this.#met.splice(Math.max(0, oldest), 1);
    }
    this.#met.push({ meeting, at: now, punches: 0, punchAt: Infinity });
  }

  /** Lets the Initiation of a peer in that has called, unless there are too many. */
  punch(now: Instant, { id }: Meeting): void {
    const met = this.#find(id);
    const others = this.#met.filter(({ punchAt }) => punchAt < Infinity);
    if (met !== undefined && others.length < PUNCHINGS_MAX) met.punchAt = now;
  }

  /** Where the peer with this id and key is, if the directory told lately. */
  whereabouts(now: Instant, id: number, key: Uint8Array): Whereabouts | undefined {
    const met = this.#find(id);
    const isGood = met !== undefined && now < met.at + MEETING_LIFE &&
      isSameKey(met.meeting.publicKey, key);
    return isGood ? this.whereaboutsIn(met.meeting) : undefined;
  }

  /** Whether the directory told lately of a peer at this host, or carries for it. */
  isIntroduced(now: Instant, from: Address): boolean {
    return isCarried(from) ||
      this.#met.some(({ at, meeting: { addresses } }) =>
        now < at + MEETING_LIFE && addresses.some(({ hostname }) => hostname === from.hostname)
      );
  }

  /** The same from a meeting. */
  whereaboutsIn({ addresses, flags, id }: Meeting): Whereabouts {
    const isNear = (flags & FLAG_NEAR) !== 0;
    return { addresses: [...addresses, carriedTo(id)], isNear, own: isNear ? this.#own() : [] };
  }

  /** The number that the directory carries datagrams to this peer for. */
  number(id: number): bigint | undefined {
    return this.#find(id)?.meeting.number;
  }

  /**
   * See {@linkcode Machine}.
   *
   * @param addresses those that have to be able to reach this client.
   */
  handleTimeout(now: Instant, addresses: readonly Address[] = []): void {
    this.#keepalive.handleTimeout(now, addresses);
    for (const met of this.#met) {
      if (now < met.punchAt) continue;
      const { meeting: { number, addresses }, punches } = met;
      const header = { type: DatagramType.Punch, session: 0, packet: 0 };
      const frames = [{ kind: "punch", number }] as const;
      for (const to of addresses) {
        this.#due.push({ bytes: encodeDatagram(header, frames, PUNCH_SIZE).slice(), to });
      }
      const gap = (PUNCH_SCHEDULE[punches + 1] ?? Infinity) - PUNCH_SCHEDULE[punches]!;
      met.punches++;
      met.punchAt += gap;
    }
  }

  /** See {@linkcode Machine}. */
  nextTimeout(): Instant | undefined {
    const next = Math.min(...this.#met.map(({ punchAt }) => punchAt));
    return earlier(this.#keepalive.nextTimeout(), next < Infinity ? next : undefined);
  }

  /** See {@linkcode Machine}. */
  pollTransmit(): Transmit | undefined {
    return this.#due.shift() ?? this.#keepalive.pollTransmit();
  }

  #find(id: number): Met | undefined {
    return this.#met.find(({ meeting }) => meeting.id === id);
  }
}
