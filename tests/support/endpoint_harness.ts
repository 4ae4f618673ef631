/**
 * An Endpoint without a network: the test plays its directory and its peers.
 *
 * @module
 */
import { assert } from "@std/assert";
import type { Connection } from "../../protocol/connection/connection.ts";
import type { Target } from "../../protocol/connection/outgoing_requests.ts";
import type { RequestEvent } from "../../protocol/connection/request_event.ts";
import { Endpoint, type EndpointEvent, type EndpointOptions } from "../../protocol/endpoint.ts";
import { TIMER_POLICIES, type TimerMode } from "../../protocol/recovery/timer_policy.ts";
import { DIRECTORY } from "./fake_directory.ts";
import type { FakeRequester, FakeResponder } from "./fake_peer.ts";
import type { Frame } from "../../protocol/wire/frame.ts";
import { exceptProbes, MachineHarness, type Sent } from "./machine_harness.ts";

export {
  exceptProbes,
  framesOf,
  kindsOf,
  type Sent,
  STRANGER,
  toPeers,
} from "./machine_harness.ts";

/** An Endpoint that is registering. */
export class EndpointHarness extends MachineHarness<EndpointEvent> {
  readonly endpoint: Endpoint;

  constructor(options: Partial<EndpointOptions> = {}, timers: TimerMode = "adaptive") {
    super();
    this.endpoint = new Endpoint(this.now, {
      directoryAddresses: [DIRECTORY],
      id: 0,
      name: "ana",
      port: 4000,
      identity: this.identity,
      policy: TIMER_POLICIES[timers],
      random: this.random,
      ...options,
    });
  }

  protected get machine(): Endpoint {
    return this.endpoint;
  }

  /** Calls client `id` and requests it, up to the Request. */
  connect(id: number): ReturnType<EndpointHarness["respond"]> {
    this.want({ id, name: "" });
    return this.respond(id);
  }

  /** Calls the peer that the user names. */
  want(target: Target): void {
    assert(this.endpoint.connect(this.now, target).ok);
  }

  /** Takes the Request of this client back. */
  cancel(): boolean {
    return this.endpoint.cancel(this.now);
  }

  /** Accepts the oldest pending request. */
  accept(): Connection {
    const [request] = this.endpoint.requests;
    assert(request !== undefined);
    const accepted = this.endpoint.accept(this.now, request);
    assert(accepted.ok);
    return accepted.value;
  }

  /** The events of requests since the last call, by their kinds, with what matters of each. */
  requestEvents(): string[] {
    return this.events().flatMap((event) => describe(event));
  }

  /** A connection that a peer requested, and its confirmation. */
  connectedWith(id: number): { peer: FakeRequester; connection: Connection } {
    const peer = this.requester(id);
    this.request(peer);
    const connection = this.accept();
    for (const { bytes } of this.sent()) peer.open(bytes);
    this.receive(peer.seal({ kind: "connectionKeepalive" }));
    this.events();
    return { peer, connection };
  }

  /** A connection that this end requested. */
  connectedTo(id: number): { peer: FakeResponder; connection: Connection } {
    const { peer } = this.connect(id);
    this.receive(peer.seal({ kind: "connectionAccept", responder: id, flags: 0, name: "" }));
    const connection = this.endpoint.connections.at(-1);
    assert(connection !== undefined);
    this.events();
    return { peer, connection };
  }
}

/** A registered Endpoint with the id 1. */
export function registered(
  options: Partial<EndpointOptions> = {},
  timers: TimerMode = "adaptive",
): EndpointHarness {
  return new EndpointHarness(options, timers).register();
}

/** What a responder with the id 1 and the name "ana" says. */
export const RINGING: Frame = { kind: "ringing", responder: 1 };
/** See {@linkcode RINGING}. */
export const ACCEPT: Frame = { kind: "connectionAccept", responder: 1, flags: 0, name: "ana" };
/** See {@linkcode RINGING}. */
export const TERMINATION_ACK: Frame = { kind: "connectionTerminationAck", sender: 1, finalSeq: 0 };

/** See {@linkcode RINGING}. */
export function reject(reason: number): Frame {
  return { kind: "connectionReject", responder: 1, reason };
}

/** What a requester says that takes its Request back. */
export function termination({ id: sender }: FakeRequester): Frame {
  return { kind: "connectionTermination", sender, finalSeq: 0 };
}

/** The requester begins another session, for the same Request. */
export function renew(harness: EndpointHarness, peer: FakeRequester): FakeRequester {
  const { request, id, name, identity } = peer;
  return Object.assign(harness.requester(id, { name, identity }), { request });
}

/** The frames that go to a peer, which must be able to open them, but for those of probes. */
export function opened(peer: FakeRequester, sent: readonly Sent[]): Frame[] {
  return exceptProbes(sent).flatMap(({ bytes }) => peer.open(bytes));
}

function describe(event: EndpointEvent): string[] {
  switch (event.kind) {
    case "requestFailed":
      return [`requestFailed: ${event.failure.why}`];
    case "request":
      return [`request of ${event.request.requester}`];
    case "requestEnded":
      return [`requestEnded of ${event.request.requester}: ${event.why}`];
    case "connected":
      return [
        `connected with ${event.connection.ids.remote} by ${event.by}` +
        (event.isResumed ? ", resumed" : ""),
      ];
    default:
      return isRequestEvent(event) ? [event.kind] : [];
  }
}

function isRequestEvent(event: EndpointEvent): event is RequestEvent {
  return event.kind === "requesting" || event.kind === "ringing";
}
