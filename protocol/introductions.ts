/**
 * How clients come together: the directory introduces a peer, at a call of either, and carries datagrams
 * where there is no way between the two.
 *
 * @module
 */
import { type Calling, nextCallAt, noteCalls, strayOf, takeCalls } from "./connection/calls.ts";
import type { Connections } from "./connection/connections.ts";
import { Meetings } from "./connection/meetings.ts";
import {
  type CallQuery,
  type ConnectIntent,
  matchesTarget,
  type Target,
} from "./connection/outgoing_requests.ts";
import type { Requests, Self } from "./connection/requests.ts";
import { CALL_RESEND_MAX } from "./directory/outstanding.ts";
import type { Registration } from "./directory/registration.ts";
import type { Query } from "./directory/registration_event.ts";
import type { Instant, Transmit } from "./machine.ts";
import type { Whereabouts } from "./session/session.ts";
import { earlier } from "./timers.ts";
import type { Address } from "./wire/address.ts";
import type { Meeting } from "./wire/frame.ts";

/** What an endpoint's introductions work with. */
export interface IntroductionsOptions {
  /** Where the directory is asked. */
  readonly registration: Registration;
  /** What comes about through it. */
  readonly requests: Requests;
  readonly connections: Connections;
  /** Whether the owner of a static key may learn how this client is reached; without it, all may. */
  readonly mayMeet?: ((key: Uint8Array) => boolean) | undefined;
  /** Where this client may be reached in its own network. */
  readonly localAddresses: () => readonly Address[];
  /** Whether this client is registered, and not leaving. */
  readonly isActive: () => boolean;
}

/** The introductions of one client. */
export class Introductions {
  readonly #options: IntroductionsOptions;
  readonly #meetings: Meetings;

  /** Begins with none. */
  constructor(options: IntroductionsOptions) {
    this.#options = options;
    const { connections, requests } = options;
    this.#meetings = new Meetings(
      options.localAddresses,
      (peer) => (connections.with(peer) ?? requests.outgoing.with(peer)) !== undefined,
    );
  }

  /** Whether the directory introduced a peer at this host lately, or carries for it. */
  isIntroduced(now: Instant, from: Address): boolean {
    return this.#meetings.isIntroduced(now, from);
  }

  /** Where the peer with this id and key is, if the directory reported it lately. */
  whereabouts(now: Instant, id: number, key: Uint8Array): Whereabouts | undefined {
    return this.#meetings.whereabouts(now, id, key);
  }

  /** Asks for a peer that the user wants to connect to; false where too many questions are under way. */
  call(now: Instant, target: Target): boolean {
    const { registration, requests } = this.#options;
    const query: CallQuery = { kind: "call", id: target.id, name: target.name };
    if (!registration.lookUp(now, query, CALL_RESEND_MAX)) return false;
    requests.outgoing.want(target, query);
    return true;
  }

  /** Takes back what the user wanted. */
  cancel(intent: ConnectIntent): void {
    const { registration, requests } = this.#options;
    if (intent.query !== undefined) registration.dropQuery(intent.query);
    requests.cancel(intent);
  }

  /** Asks again for peers that do not answer: the address of either end may have changed. */
  callAgain(now: Instant): void {
    const { registration } = this.#options;
    for (const id of takeCalls(now, this.#calling())) {
      if (registration.isCalling(id)) continue;
      registration.lookUp(now, { kind: "call", id, name: "" });
    }
  }

  /**
   * Takes an introduction: in answer to a question, or because that peer called.
   *
   * @param self this client, once the directory knows it.
   */
  handleMeeting(
    now: Instant,
    meeting: Meeting,
    query: Query | undefined,
    self: Self | undefined,
  ): void {
    const { requests, connections, mayMeet } = this.#options;
    const { id, name, publicKey } = meeting;
    const isCalled = query === undefined;
    if (isCalled && mayMeet?.(publicKey) === false) return;
    this.#meetings.add(now, meeting);
    const whereabouts = this.#meetings.whereaboutsIn(meeting);
    requests.tell(now, meeting, whereabouts);
    const connection = connections.withKey(id, publicKey);
    connection?.tell(now, whereabouts);
    if (connection === undefined && isCalled) this.#meetings.punch(now, meeting);
    if (self === undefined) return;
    // Where the wanted peer calls as well, the Meeting of its call says the same.
    const intent = this.#takeIntent((asked) =>
      isCalled ? matchesTarget(asked, id, name) : asked === query
    );
    if (intent !== undefined) requests.handleMeeting(now, self, intent, meeting, whereabouts);
  }

  /** Takes the answer that nobody is there. */
  handleInactive(query: Query): void {
    const { requests } = this.#options;
    const id = query.kind === "call" ? query.id : 0;
    const intent = this.#takeIntent((asked) => asked === query) ??
      strayOf(requests.outgoing.intents, id);
    requests.fail(intent, { why: "inactive" });
  }

  /** Notes that a question was not answered. */
  handleUnanswered(
    now: Instant,
    query: Query,
    why: "directoryTimeout" | "directoryUnavailable",
  ): void {
    const intent = this.#takeIntent((asked) => asked === query);
    this.#options.requests.fail(intent, { why });
    // It was asked until now: the next call is not due at once.
    if (query.kind === "call") noteCalls(now, this.#calling(), query.id);
  }

  /** Hands a datagram to the directory; undefined, and it is lost, where that cannot be. */
  carry({ bytes, to: { port: id } }: Transmit): Transmit | undefined {
    const number = this.#meetings.number(id);
    return number === undefined ? undefined : this.#options.registration.carry(number, id, bytes);
  }

  /** See {@linkcode Machine}. */
  handleTimeout(now: Instant): void {
    this.#meetings.handleTimeout(now, this.#reachedFrom());
  }

  /** See {@linkcode Machine}. */
  nextTimeout(): Instant | undefined {
    return earlier(this.#meetings.nextTimeout(), nextCallAt(this.#calling()));
  }

  /** See {@linkcode Machine}. */
  pollTransmit(): Transmit | undefined {
    return this.#meetings.pollTransmit();
  }

  /** The addresses that have to be able to reach this client. */
  #reachedFrom(): Address[] {
    const { registration, requests, connections, isActive } = this.#options;
    if (!isActive()) return [];
    const asking = [...requests.pending, ...requests.outgoing.requests]
      .map(({ session }) => session?.provenAddress)
      .filter((each) => each !== undefined);
    const peers = connections.live.map(({ session }) => session.address);
    return [...registration.addresses, ...peers, ...asking];
  }

  #calling(): Calling[] {
    const { requests, connections, isActive } = this.#options;
    return isActive() ? [...connections.live, ...requests.outgoing.requests] : [];
  }

  /** The intent whose question has its answer now. */
  #takeIntent(isAnswered: (asked: CallQuery) => boolean): ConnectIntent | undefined {
    const { registration, requests } = this.#options;
    const intent = requests.outgoing.intents
      .find(({ query }) => query !== undefined && isAnswered(query));
    if (intent?.query === undefined) return undefined;
    registration.dropQuery(intent.query);
    intent.query = undefined;
    return intent;
  }
}
