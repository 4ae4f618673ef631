/**
 * The identities of peers, in words for people.
 *
 * @module
 */
import { formatAge } from "../../cli/format.ts";
import type { IdentityEvent } from "../event.ts";
import { label } from "./words.ts";

/** The lines after those of a request or a connection. */
export function identityLines(event: IdentityEvent, time: Date): string[] {
  const { known, fingerprint, lastSeen, isOwn } = event;
  const name = label(event.peer, event.name);
  if (isOwn) return [`${name} has your own key: it is another client of yours · ${fingerprint}`];
  switch (known) {
    case "same": {
      const { formerName } = event;
      const who = formerName === ""
        ? `${name}, as before`
        : `${name}, known to you as ${formerName}`;
      return [`${who} · key ${fingerprint}`];
    }
    case "new":
      return [`First contact with ${name} · key ${fingerprint}`];
    case "changed": {
      const when = lastSeen === undefined
        ? ""
        : `, last seen ${formatAge(time.getTime() - lastSeen.getTime())} ago`;
      const { similarName = name } = event;
      const like = similarName === name ? "" : `: it looks like ${similarName}`;
      return [
        `WARNING, ${name}: NEW key under a known name${like}${when}`,
        `Somebody may be posing as ${similarName} · compare before you trust it: key ${fingerprint}`,
      ];
    }
  }
}
