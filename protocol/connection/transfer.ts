/**
 * What carries texts both ways in one session.
 *
 * @module
 */
import type { Instant } from "../machine.ts";
import { Flight } from "../recovery/flight.ts";
import type { Session } from "../session/session.ts";
import { Acknowledger } from "./acknowledger.ts";
import { type ReceiveOptions, ReceiveQueue } from "./receive_queue.ts";
import { SendQueue, type UndeliveredTexts } from "./send_queue.ts";

/** The parts that depend on the session. */
export interface Transfer {
  readonly flight: Flight;
  readonly sendQueue: SendQueue;
  readonly receiveQueue: ReceiveQueue;
  readonly acknowledger: Acknowledger;
}

/**
 * Starts with nothing sent or received.
 *
 * @param sender this end's client id.
 * @param receiveOptions what texts are received with.
 * @param undelivered texts of an earlier session, which go first.
 */
export function makeTransfer(
  now: Instant,
  session: Session,
  sender: number,
  receiveOptions: ReceiveOptions,
  undelivered?: UndeliveredTexts,
): Transfer {
  const { rtt, address } = session;
  const flight = new Flight(now, rtt, address);
  const receiveQueue = new ReceiveQueue(receiveOptions);
  return {
    flight,
    sendQueue: new SendQueue(sender, rtt, flight, undelivered),
    receiveQueue,
    acknowledger: new Acknowledger(rtt.policy, receiveQueue, session),
  };
}

/** The same in another session: what came early in the one before is forgotten. */
export function continueTransfer(
  now: Instant,
  session: Session,
  sender: number,
  { sendQueue, receiveQueue }: Transfer,
): Transfer {
  receiveQueue.close();
  return makeTransfer(now, session, sender, receiveQueue.options, sendQueue.takeUndelivered());
}
