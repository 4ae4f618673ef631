/**
 * The Connection Requests of peers, in words for people.
 *
 * @module
 */
import { fingerprint } from "../../protocol/crypto/fingerprint.ts";
import type { ClientEvent, IdentityEvent } from "../event.ts";
import { formatAge } from "../../cli/format.ts";
import { label, typedAs } from "./words.ts";

type RequestEvent = Extract<ClientEvent, { kind: "request" }>;
type RequestsEvent = Extract<ClientEvent, { kind: "requests" }>;

/** `Connection Request from carol, known key` */
export function requestLine(event: RequestEvent, identity: IdentityEvent | undefined): string {
  return `Connection Request from ${label(event.peer, event.name)}${keyWords(identity)}`;
}

/** The answer to `requests`. */
export function requestLines({ pending, missed }: RequestsEvent): string[] {
  if (pending.length + missed.length === 0) return ["No requests wait, and none were missed"];
  const waiting = pending.map(({ id, name, key }) => {
    const peer = typedAs(id, name);
    return `Waiting: ${label(id, name)} · accept ${peer} or reject ${peer} · key ${
      fingerprint(key)
    }`;
  });
  const gone = missed.map(({ id, name, why, times, agoMs }) =>
    `Missed ${formatAge(agoMs)} ago: ${label(id, name)}, ${WHY_MISSED[why]}` +
    (times > 1 ? `, ${times} times in all` : "")
  );
  return [...waiting, ...gone];
}

const WHY_MISSED = {
  cancelled: "withdrawn",
  expired: "expired",
  busy: "rejected because you were busy",
} as const;

function keyWords(identity: IdentityEvent | undefined): string {
  if (identity === undefined) return "";
  if (identity.isOwn) return ", your own key";
  switch (identity.known) {
    case "same":
      return identity.formerName === "" ? ", known key" : `, known as ${identity.formerName}`;
    case "new":
      return ", new key";
    case "changed":
      return ", NEW KEY";
  }
}
