/**
 * Somebody on the network who is no client of the stage, for the stories.
 *
 * @module
 */
import { assert } from "@std/assert";
import type { Address } from "../../protocol/wire/address.ts";
import { type FakePeerFields, FakeRequester } from "../support/fake_peer.ts";
import type { Actor, Stage } from "./stage.ts";

/** Where the stranger is. */
export const STRANGER: Address = { hostname: "192.0.2.66", port: 666 };
/** How the log of the network calls it. */
export const STRANGER_NAME = "192.0.2.66:666";

/** The stranger's datagram, as if it came from `from`. */
export function sendAsStranger(
  stage: Stage,
  to: Actor,
  bytes: Uint8Array,
  from: Address = STRANGER,
): void {
  stage.network.transmit(from, to.host.address, bytes, true);
}

/** The stranger requests a connection under an id and a name of its choice, with a key of its own. */
export function requestAsStranger(stage: Stage, to: Actor, fields: FakePeerFields): FakeRequester {
  const requester = new FakeRequester(stage.network.prng.bytes, to.key, fields);
  const since = stage.now;
  sendAsStranger(stage, to, requester.initiation);
  stage.wait(50);
  const response = stage.datagrams(to, since).find((each) =>
    each.to === STRANGER_NAME && each.frame("response") !== undefined
  );
  assert(response !== undefined, `${to.name} does not answer the stranger`);
  requester.handleResponse(response.bytes);
  sendAsStranger(stage, to, requester.seal(requester.requestFrame(to.id)));
  stage.wait(50);
  return requester;
}
