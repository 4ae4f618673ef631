/**
 * The last two sections of `protocol/README.md`: the vectors and a conversation, with comments.
 *
 * @module
 */
import {
  annotateDatagram,
  annotateFrames,
  annotateValues,
  frameName,
  typeName,
} from "./annotate.ts";
import { BAD } from "./bad.ts";
import { DIRECTORY_CLEAR, DIRECTORY_DERIVED, DIRECTORY_SEALED } from "./directory.ts";
import { toHex } from "../../support/hex.ts";
import { FRAMES, type FramesVector } from "./frames.ts";
import { COOKIE, DERIVED, HANDSHAKE_CLEAR, HUMAN_READABLE, PACKETS } from "./handshake.ts";
import { INPUTS, PUBLIC_KEYS } from "./inputs.ts";
import { framesBytes } from "./json.ts";
import { conversation, type Line, traces } from "./scenes.ts";
import type { ClearVector, SealedVector } from "./vector.ts";

/** Where the generated part begins. */
export const BEGINNING = "## Vectors\n";

const INTRODUCTION = `${BEGINNING}
Bytes and what they mean. A line with \`× n\` stands for its bytes n times over. The same bytes are in
\`tests/vectors/\`, as JSON, with the values that they are decoded to. Both are made by an
implementation that was written from this text alone, in \`tests/reference/\`, and tests compare them
with what \`udp-chat\` makes and reads. A receiver MUST take what only a receiver meets, though no
sender that keeps to this text makes it.
`;

const KEYS =
  `The initiator is client 1, "zoë", at 192.0.2.7 port 40000, with the session id \`1a 2b 3c 4d\`; the
responder is client 2, "Борис", with the session id \`99 aa bb cc\`. What stands under "sealed" is
under the registration key of the initiator and the directory, or under the keys of the handshake.`;

const FRAMES_TEXT =
  `As they are sealed, the first ones in a Register, a Request or an Answer, the others in a Packet.`;

const BAD_TEXT =
  `Bytes that come to nothing are in \`tests/vectors/bad.json\`, with the answer where there is one, and
with what is sealed in them where they open and are bad all the same:`;

const CONVERSATION = `## A conversation

All datagrams from the first Register to the ack of the Termination, with the static keys of the
vectors and fixed timers, each 10 ms on its way. Of the random bytes, the private keys are these;
all others can be seen in the datagrams. Under a datagram with sealed frames stands what is sealed.
\`tests/vectors/conversation.json\` has the same, with the key for each.`;

const TRACES = `### Traces

What goes out when some things go wrong, in milliseconds, with adaptive timers, and after each
datagram's arrival what the user is told. "(old)" and "(new)" are addresses.`;

/** All of it, from {@linkcode BEGINNING} to the end of the file. */
export function readmeText(): string {
  return [
    INTRODUCTION.trimEnd(),
    "### The keys that are given",
    KEYS,
    fence(annotateValues(labelled(INPUTS))),
    "### Their public keys",
    fence(annotateValues(labelled(PUBLIC_KEYS))),
    "### A client and its directory",
    fence(annotateValues({
      "X25519 of both static keys": DIRECTORY_DERIVED.shared,
      "registration key, of a public directory": DIRECTORY_DERIVED.publicKey,
      "secret input, of a private directory": DIRECTORY_DERIVED.privateInput,
      "registration key, of a private directory": DIRECTORY_DERIVED.privateKey,
      "key of the macs, of a private directory": DIRECTORY_DERIVED.privateMacKey,
    })),
    ...DIRECTORY_CLEAR.flatMap(clear),
    ...DIRECTORY_SEALED.flatMap(sealed),
    "### Two clients",
    fence(annotateValues({
      "key from the initiator": DERIVED.forward,
      "key from the responder": DERIVED.backward,
      "the second one from the initiator": DERIVED.secondForward,
      "the third one from the initiator": DERIVED.thirdForward,
      "handshake hash": DERIVED.hash,
      "cookie of 192.0.2.7 40000, as `udp-chat` makes it": COOKIE,
    })),
    numbers(),
    ...HANDSHAKE_CLEAR.flatMap(clear),
    ...PACKETS.flatMap(sealed),
    "### Frames",
    FRAMES_TEXT,
    ...FRAMES.filter((vector) => !isShown(vector)).flatMap((vector) => {
      return [`#### ${vector.name}`, ...note(vector), fence(annotateFrames(framesBytes(vector)))];
    }),
    "### What is bad",
    BAD_TEXT,
    BAD.map(({ name, answer }) => {
      const type = answer === undefined ? "" : `, which a ${typeName(answer[3]!)} answers`;
      return `- ${name}${type}`;
    }).join("\n"),
    CONVERSATION,
    ...conversationBlocks(),
    TRACES,
    ...Object.entries(traces()).flatMap(([title, trace]) => [`#### ${title}`, fence(trace)]),
  ].join("\n\n") + "\n";
}

/** Whether a sealed datagram holds the same, but for Padding at the end. */
function isShown(vector: FramesVector): boolean {
  const digits = toHex(framesBytes(vector));
  return digits !== "" && [...DIRECTORY_SEALED, ...PACKETS].some(({ plain }) => {
    const shown = toHex(plain);
    return shown === digits || shown.startsWith(`${digits}0000`);
  });
}

function numbers(): string {
  const { initiatorFingerprint, responderFingerprint, directoryFingerprint } = HUMAN_READABLE;
  const { shortAuthenticationString } = HUMAN_READABLE;
  return `| what people compare         | digits                                |
| --------------------------- | ------------------------------------- |
| initiator's fingerprint     | \`${initiatorFingerprint}\` |
| responder's fingerprint     | \`${responderFingerprint}\` |
| directory's fingerprint     | \`${directoryFingerprint}\` |
| short authentication string | \`${shortAuthenticationString}\` |`;
}

function fence(text: string): string {
  return text === "" ? "(no bytes)" : `\`\`\`\n${text}\n\`\`\``;
}

/** The names of values as words: "initiator static key". */
function labelled(values: Readonly<Record<string, Uint8Array>>): Record<string, Uint8Array> {
  const entries = Object.entries(values).map(([name, bytes]) => {
    const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
    return [words, bytes];
  });
  return Object.fromEntries(entries);
}

function note({ only }: { readonly only?: "receiver" | "sender" }): string[] {
  return only === undefined ? [] : [`Only a ${only} meets it.`];
}

function clear(vector: ClearVector): string[] {
  const sealedAt = vector.bytes[2] === 1 ? vector.bytes.length : 16;
  const text = annotateDatagram(vector.bytes, sealedAt);
  return [`#### ${vector.name}`, ...note(vector), fence(text)];
}

function sealed(vector: SealedVector): string[] {
  const sealedAt = vector.bytes[3] === 1 ? 91 : 16;
  return [
    `#### ${vector.name}`,
    ...note(vector),
    fence(annotateDatagram(vector.bytes, sealedAt)),
    fence(annotateFrames(vector.plain)),
  ];
}

function conversationBlocks(): string[] {
  const { lines, ephemeral } = conversation();
  return [
    fence(annotateValues(labelled(ephemeral))),
    ...lines.flatMap((line) => [
      title(line),
      fence(annotateDatagram(line.bytes, line.sealedAt)),
      ...line.plain.length > 0 ? [fence(annotateFrames(line.plain))] : [],
    ]),
  ];
}

function title({ time, from, to, type, frames, plain }: Line): string {
  const names = frames.map(({ kind }) => frameName(kind)).filter((name) => name !== "Credentials");
  const what = plain.length === 0 ? "" : `: ${names.join(", ")}`;
  return `**${time} ms, ${from} → ${to}: ${typeName(type)}${what}**`;
}
