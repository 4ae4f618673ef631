/**
 * What is played: a whole conversation, and some traces.
 *
 * @module
 */
import type { Instant } from "../../../protocol/machine.ts";
import { frameName, typeName } from "./annotate.ts";
import { publicKeyOf } from "../../reference/naive_crypto.ts";
import { toHex } from "../../support/hex.ts";
import { INPUTS, NAMES } from "./inputs.ts";
import { Observer } from "./observer.ts";
import type { Observed } from "./observer.ts";
import { Play, type Reported, type Sent } from "./play.ts";

/** A datagram, opened. */
export type Line = Sent & Observed;

/** Opens all datagrams of a play. */
function observed(play: Play): Line[] {
  const { directoryStatic, initiatorStatic, responderStatic } = INPUTS;
  const statics = [initiatorStatic, responderStatic];
  const observer = new Observer(directoryStatic, statics, play.keys);
  return play.sent.map((sent) => ({ ...sent, ...observer.observe(sent.bytes) }));
}

/** From the first Register to the Termination's ack, with fixed timers, so that nothing is copied. */
export function conversation(): { lines: Line[]; ephemeral: Record<string, Uint8Array> } {
  const play = new Play("fixed");
  play.do((now) => play.zoe.connect(now, { id: 0, name: NAMES.responder }));
  play.run(1000);
  play.do((now) => play.boris.accept(now, play.boris.requests[0]!));
  play.run(1000);
  play.do(() => play.zoe.connections[0]!.send("hi 👋"));
  play.run(1000);
  play.do(() => play.boris.connections[0]!.send("привет"));
  play.run(1000);
  play.do((now) => play.zoe.connections[0]!.terminate(now));
  play.run(1000);
  const lines = observed(play);
  // Both messages begin with the ephemeral public key.
  const ephemeralOf = (type: number, kind: string): Uint8Array => {
    const message = lines.find((line) => line.type === type)!.frames[0]![kind] as Uint8Array;
    const publicKey = toHex(message.slice(0, 32));
    return play.keys.find((key) => toHex(publicKeyOf(key)) === publicKey)!;
  };
  const ephemeral = {
    initiatorEphemeral: ephemeralOf(5, "messageOne"),
    responderEphemeral: ephemeralOf(6, "messageTwo"),
  };
  return { lines, ephemeral };
}

/** Both connect at the same time. */
function crossing(): Play {
  const play = new Play("adaptive");
  play.do((now) => play.zoe.connect(now, { id: 2, name: "" }));
  play.do((now) => play.boris.connect(now, { id: 1, name: "" }));
  play.run(1000);
  return play;
}

/** The Initiation arrives, its Response does not. */
function lostResponse(): Play {
  const play = new Play("adaptive");
  let isFirst = true;
  play.isLost = ({ bytes }) => {
    const isLost = bytes[3] === 6 && isFirst;
    if (isLost) isFirst = false;
    return isLost;
  };
  play.do((now) => play.zoe.connect(now, { id: 2, name: "" }));
  play.run(1200);
  return play;
}

/** The requester has another address, and says something. */
function move(): [Play, since: Instant] {
  const play = new Play("adaptive");
  play.do((now) => play.zoe.connect(now, { id: 2, name: "" }));
  play.run(100);
  play.do((now) => play.boris.accept(now, play.boris.requests[0]!));
  play.run(100);
  play.do(() => play.boris.connections[0]!.send("where are you?"));
  play.run(1000);
  const since = play.now;
  play.move(play.zoe, { hostname: "198.51.100.7", port: 50_000 });
  play.do(() => play.zoe.connections[0]!.send("elsewhere"));
  play.run(1000);
  return [play, since];
}

/** The traces by their titles. */
export function traces(): Readonly<Record<string, string>> {
  return {
    "Requests that cross": trace(crossing()),
    "A lost Response": trace(lostResponse()),
    "A move": trace(...move()),
  };
}

const REPORTS: readonly string[] = ["request", "ringing", "connected", "message", "delivered"];
/** When both clients are registered. */
const REGISTERED = 2000;

function trace(play: Play, since: Instant = REGISTERED): string {
  const lines = [
    ...observed(play).map((line) => ({ time: line.time, text: traceLine(line) })),
    ...play.reported.filter(({ event }) => REPORTS.includes(event.kind)).map((reported) => ({
      time: reported.time,
      text: reportLine(reported),
    })),
  ].filter(({ time }) => time >= since);
  // What a datagram causes stands after it.
  lines.sort((a, b) => a.time - b.time);
  const width = `${lines.at(-1)!.time - since}`.length;
  return lines.map(({ time, text }) => `${`${time - since}`.padStart(width)}  ${text}`).join("\n");
}

function traceLine({ from, to, type, frames, isLost }: Line): string {
  const names = frames.map(({ kind }) => frameName(kind));
  const isSealed = [1, 3, 4, 8, 9].includes(type);
  const what = isSealed ? `${typeName(type)}: ${names.join(", ")}` : typeName(type);
  return `${from} → ${to}`.padEnd(24) + what + (isLost ? " (lost)" : "");
}

function reportLine({ who, event }: Reported): string {
  return `${who}:`.padEnd(24) + event.kind;
}
