/**
 * Events as lines for programs: one JSON object each, with the documented names.
 *
 * @module
 */
import { fingerprint } from "../../protocol/crypto/fingerprint.ts";
import { formatAddress } from "../../protocol/wire/address.ts";
import type { AnswerEvent, ClientEvent, KeyOfClient } from "../event.ts";
import type { Peer } from "../peer.ts";

/** Controls and invisible characters: escaped in JSON, so that they stay exact and harmless. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * The line for an event, without its line end; undefined for one that is not documented.
 *
 * @param ref the reference of the command that caused it, if it has one.
 */
export function renderJson(
  event: ClientEvent | AnswerEvent,
  time: Date,
  ref?: string,
): string | undefined {
  const fields = fieldsOf(event);
  return fields && jsonLine(event.kind, time, ref === undefined ? fields : { ref, ...fields });
}

/** The line for a problem that occurs before there is a client. */
export function renderJsonProblem(code: string, message: string, time: Date): string {
  return jsonLine("error", time, { code, message });
}

/** The line for an event with its time and its fields. */
export function jsonLine(event: string, time: Date, fields: Record<string, unknown>): string {
  return JSON.stringify({ event, time: time.toISOString(), ...fields }).replace(HIDDEN, escape);
}

type Fields = Record<string, unknown>;

function fieldsOf(event: ClientEvent | AnswerEvent): Fields | undefined {
  switch (event.kind) {
    case "registered": {
      const { id, name, lostName, address, server } = event;
      const serverAddress = formatAddress(event.serverAddress);
      const serverKey = fingerprint(event.serverKey);
      const { hostname: host, port } = address;
      const directory = { server, serverAddress, serverKey };
      return { id, name, ...lostName !== "" && { lostName }, host, port, ...directory };
    }
    case "serverQuiet":
    case "serverLost":
    case "serverBack":
    case "serverUnavailable":
      return { server: event.server };
    case "serverMoved": {
      const { server, address: { hostname: host, port }, why } = event;
      return { server, host, port, why };
    }
    case "requesting": {
      const { peer, attempt, nextInMs } = event;
      return { peer, attempt, nextInMs: Math.round(nextInMs) };
    }
    case "ringing":
    case "rejected":
      return { peer: event.peer };
    case "inactive":
    case "cancelled":
      return peerField(event.peer);
    case "unanswered":
      return { ...peerField(event.peer), by: event.by };
    case "request":
    case "reject":
    case "notReturned":
      return { peer: event.peer, name: event.name };
    case "requestEnded":
    case "current":
      return { peer: event.peer, name: event.name, why: event.why };
    case "connected":
      return { peer: event.peer, name: event.name, path: event.path };
    case "path": {
      const { peer, path: kind, address: { hostname: host, port } } = event;
      return kind === "carried" ? { peer, kind } : { peer, kind, host, port };
    }
    case "returned":
      return { peer: event.peer, name: event.name, who: event.who };
    case "identity": {
      const { peer, name, fingerprint, known, similarName } = event;
      const identity = { peer, name, fingerprint, known };
      return similarName === undefined ? identity : { ...identity, similarName };
    }
    case "sent":
    case "unconfirmed":
      return { peer: event.peer, seq: event.textSeq };
    case "delivered":
      return { peer: event.peer, seq: event.textSeq, rttMs: Math.round(event.rttMs * 1000) / 1000 };
    case "message": {
      const { peer, name, textSeq: seq, text } = event;
      return { peer, name, seq, text };
    }
    case "terminated":
      return { peer: event.peer, by: event.by, undelivered: event.undelivered };
    case "requests":
      return {
        pending: event.pending.map(({ id, name }) => ({ id, name })),
        missed: event.missed.map(({ id, name, why, times, agoMs }) => ({
          id,
          name,
          why,
          times,
          agoMs: Math.round(agoMs),
        })),
      };
    case "list": {
      const { clients, pattern, total } = event;
      const shown = clients.map(({ id, name }) => ({ id, name }));
      return { clients: shown, ...pattern !== undefined && { pattern, total } };
    }
    case "left":
      return { undelivered: event.undelivered, acknowledged: event.acknowledged };
    case "error":
      return { code: event.code, message: event.message };
    case "entry":
    case "renewed":
      return undefined;
    default:
      return answerFieldsOf(event);
  }
}

function answerFieldsOf(event: Exclude<AnswerEvent, { kind: "reject" }>): Fields {
  switch (event.kind) {
    case "fingerprint":
      return fileField(event.file, { fingerprint: event.fingerprint });
    case "verify":
      return { peer: event.peer, name: event.name, digits: event.digits };
    case "trust":
    case "block":
    case "unblock":
      return keyFields(event.client);
    case "blocked":
      return { clients: event.clients.map(keyFields) };
    case "log":
      return fileField(event.file, {});
    case "help":
    case "show":
      return { text: event.text };
  }
}

/** A client by its id, or by its name where only that is known: never two types in one field. */
function peerField(peer: Peer): Fields {
  return typeof peer === "number" ? { peer } : { name: peer };
}

function fileField(file: string | undefined, fields: Fields): Fields {
  return file === undefined ? fields : { ...fields, file };
}

function keyFields({ id, name, fingerprint }: KeyOfClient): Fields {
  return id === undefined ? { name, fingerprint } : { peer: id, name, fingerprint };
}

function escape(character: string): string {
  let escaped = "";
  for (let index = 0; index < character.length; index++) {
    escaped += "\\u" + character.charCodeAt(index).toString(16).padStart(4, "0");
  }
  return escaped;
}
