import { assertEquals } from "@std/assert";
import {
  ANSWER_TIMEOUT,
  BLOCKED_TIMEOUT,
  Doctor,
  LEAVE_TIMEOUT,
  PROBE_TIMEOUT,
  PROBES,
  SILENCE_TIMEOUT,
} from "../../../client/doctor/doctor.ts";
import { LOOK_TIMEOUT } from "../../../client/doctor/second_look.ts";
import { renderFinding, renderFindingJson, renderVerdict } from "../../../client/doctor/render.ts";
import type { Address } from "../../../protocol/wire/address.ts";
import { encodeDatagram, encodeVersionAnswer } from "../../../protocol/wire/datagram.ts";
import { DatagramType } from "../../../protocol/wire/frame.ts";
import { fingerprint } from "../../../protocol/crypto/fingerprint.ts";
import { makeKeyPair } from "../../../protocol/crypto/x25519.ts";
import { FORGERY_PATIENCE } from "../../../protocol/directory/unproven.ts";
import {
  DELAY,
  DIRECTORY,
  found,
  HERE,
  HERE_V6,
  PORT,
  SERVER,
  type Setup,
  Stage,
} from "../../support/doctor_stage.ts";
import { newServer } from "../../support/new_server.ts";
import type { Server } from "../../../server/server.ts";
import { Prng } from "../../support/random.ts";
import { TRUSTING } from "../../support/trust.ts";

Deno.test("Doctor passes all checks, and leaves no entry in the table", () => {
  const stage = new Stage().run();
  assertEquals(stage.verdicts(), [
    "directory ok",
    "version ok",
    "key ok",
    "address ok",
    "roundTrip ok",
    "ipv6 ok",
    "calls ok",
    "leave ok",
  ]);
  assertEquals(stage.status, 0);
  assertEquals(stage.server.table().size, 0);
  const digits = fingerprint(DIRECTORY.publicKey);
  assertEquals(stage.findings[2]!.message, `the directory's fingerprint is ${digits}`);
  assertEquals(stage.findings[2]!.fields, { fingerprint: digits });
  const { fields } = stage.findings[4]!;
  assertEquals(fields, { probes: PROBES, answered: PROBES, medianMs: 20, minMs: 20 });
  assertEquals(stage.silentAt, undefined);
});

Deno.test("Doctor reports a NAT for another port, or another host's address", () => {
  for (const seenAt of [{ ...HERE, port: 61_002 }, { ...HERE, hostname: "198.51.100.4" }]) {
    const stage = new Stage({ seenAt }).run();
    const finding = stage.findings.find(({ check }) => check === "address")!;
    assertEquals(finding.verdict, "ok");
    assertEquals(finding.fields, { host: seenAt.hostname, port: seenAt.port, nat: true });
    assertEquals(stage.status, 0);
  }
});

const NAT: Address = { hostname: "198.51.100.4", port: 61_002 };

Deno.test("Doctor tells whether a NAT uses another port for each destination", () => {
  const cases = [
    [NAT, "ok", "same", "the NAT uses one port for all destinations"],
    [
      { ...NAT, port: 61_003 },
      "warning",
      "different",
      "the NAT uses another port for each destination",
    ],
    [
      undefined,
      "ok",
      "unknown",
      "no answer from port 7071 of the directory, so it is not known whether the NAT uses another " +
      "port for each destination",
    ],
  ] as const;
  for (const [secondSeenAt, verdict, mapping, words] of cases) {
    for (const isHairpin of [false, true]) {
      const at = secondSeenAt === undefined ? {} : { secondSeenAt };
      const back = `what you send to your own public address ${
        isHairpin ? "comes back" : "does not come back"
      }`;
      assertEquals(found({ seenAt: NAT, ...at, isHairpin }, "mapping"), [
        { verdict, message: `${words}; ${back}`, fields: { mapping, hairpin: isHairpin } },
      ]);
    }
  }
  // Without a NAT there is nothing to tell, and nothing is asked.
  assertEquals(found({ secondSeenAt: HERE }, "mapping"), []);
});

Deno.test("Doctor reports which peers calls reach directly, and speaks of a firewall where it sees no NAT", () => {
  const cases: [Setup, string, string, string][] = [
    [{}, "ok", "most", "direct with most people, whoever calls; a firewall cannot be seen"],
    [
      { seenAt: NAT, secondSeenAt: NAT },
      "ok",
      "most",
      "direct with most people, whoever calls, whatever your NAT lets in: both sides send at once",
    ],
    [
      { seenAt: NAT, secondSeenAt: { ...NAT, port: 1 } },
      "warning",
      "some",
      "direct only with people who have a public address or a router that lets anybody in",
    ],
    [
      { seenAt: NAT },
      "ok",
      "unknown",
      "direct with most people if the NAT is that of a home router",
    ],
    [
      { seenAt: { hostname: "192.168.1.2", port: PORT } },
      "ok",
      "local",
      "the directory is in your own network, where calls are direct; how others would reach you",
    ],
    [
      { seenAt: HERE_V6, hasIpv4: false },
      "warning",
      "some",
      "direct with people who have IPv6, whoever calls; the directory carries the calls of those who",
    ],
    // Peers learn the IPv4 address, too.
    [{ seenAt: HERE_V6 }, "ok", "most", "direct with most people, whoever calls; a firewall"],
  ];
  for (const [setup, verdict, direct, beginning] of cases) {
    const [finding] = found(setup, "calls");
    assertEquals([finding?.verdict, finding?.fields], [verdict, { direct }]);
    assertEquals(finding?.message.slice(0, beginning.length), beginning);
    assertEquals(finding?.message.includes("no NAT"), false);
  }
});

Deno.test("Doctor tells whether there is a public IPv6 address", () => {
  for (const hasIpv6 of [false, true]) {
    assertEquals(found({ hasIpv6 }, "ipv6")[0]?.fields, { ipv6: hasIpv6 });
  }
});

Deno.test("Doctor does not wait long for the second port of the directory", () => {
  const stage = new Stage({ seenAt: NAT }).run();
  assertEquals(stage.now, 1000 + 4 * DELAY + LOOK_TIMEOUT + 2 * DELAY);
});

Deno.test("Doctor counts a lost probe, and does not measure it", () => {
  // Two for the registration, then the probes.
  const stage = new Stage({ isLost: (n) => n === 3 }).run();
  const finding = stage.findings.find(({ check }) => check === "roundTrip")!;
  assertEquals(finding.verdict, "warning");
  assertEquals(finding.fields, { probes: PROBES, answered: PROBES - 1, medianMs: 20, minMs: 20 });
  assertEquals(stage.status, 0);
  assertEquals(stage.now < 1000 + PROBE_TIMEOUT + 1000, true);
});

Deno.test("Doctor reports silence early, and gives up with status 3", () => {
  const stage = new Stage({ isLost: () => true }).run();
  assertEquals(stage.silentAt, 1000 + SILENCE_TIMEOUT);
  assertEquals(stage.now, 1000 + BLOCKED_TIMEOUT);
  assertEquals(stage.status, 3);
  assertEquals(stage.verdicts(), ["directory failed"]);
  assertEquals(stage.findings[0]?.fields, { reason: "silence" });
  assertEquals(
    stage.findings[0]?.message,
    "nothing comes back from 10.0.0.1:7070: UDP does not get out of this network, or no directory " +
      "runs there, or it is private and needs --secret",
  );
});

Deno.test("Doctor reports loss where answers arrive but the registration fails", () => {
  const stage = new Stage({ isLost: (n) => n > 0 }).run();
  assertEquals([stage.status, stage.findings[0]?.fields], [1, { reason: "loss" }]);
  assertEquals(stage.now, 1000 + ANSWER_TIMEOUT);
});

Deno.test("Doctor reports a refused port as such, unless the directory answered", () => {
  const stage = new Stage({ isLost: () => true }).run(2000);
  stage.doctor.handleRefused();
  stage.run();
  assertEquals(stage.status, 3);
  assertEquals(stage.findings[0]?.fields, { reason: "refused" });
  assertEquals(stage.findings[0]?.message.includes("blocked"), false);
  // After an answer, it is not refused.
  const answered = new Stage().run(1100);
  answered.doctor.handleRefused();
  assertEquals(answered.run().status, 0);
});

Deno.test("Doctor reports why a datagram cannot be sent", () => {
  const stage = new Stage({ isLost: () => true }).run(1000);
  stage.doctor.handleUnsendable(SERVER, "Network is unreachable");
  stage.run();
  assertEquals([stage.status, stage.findings[0]?.fields], [3, { reason: "unsendable" }]);
  assertEquals(stage.findings[0]?.message.endsWith("Network is unreachable"), true);
});

Deno.test("Doctor tries all addresses, and goes on at the one that answers", () => {
  for (const hostname of ["10.0.0.9", "2001:db8::9"]) {
    const dead = [{ hostname, port: SERVER.port }];
    const stage = new Stage({ dead, seenAt: NAT, secondSeenAt: NAT }).run();
    assertEquals(stage.status, 0);
    const [directory] = stage.findings;
    assertEquals(directory?.message, "10.0.0.1:7070 answers, and its datagrams come back");
    const mapping = stage.findings.find(({ check }) => check === "mapping");
    assertEquals(mapping?.fields?.["mapping"], "same");
  }
});

Deno.test("Doctor names all addresses where none answers, and ends once nothing can be sent to any", () => {
  const dead = [{ hostname: "2001:db8::9", port: 7070 }];
  const silent = new Stage({ dead, isLost: () => true }).run();
  const at = "[2001:db8::9]:7070 or 10.0.0.1:7070";
  assertEquals(silent.findings[0]?.message.startsWith(`nothing comes back from ${at}: `), true);

  const stage = new Stage({ dead, isLost: () => true }).run(1000);
  for (let n = 0; n < 2; n++) stage.doctor.handleUnsendable(dead[0]!, "Network is unreachable");
  assertEquals(stage.run(1100).status, undefined);
  stage.doctor.handleUnsendable(SERVER, "Network is unreachable");
  stage.run(1200);
  const message = `this machine cannot send to ${at}: Network is unreachable`;
  assertEquals([stage.status, stage.findings[0]?.message], [3, message]);
});

Deno.test("Doctor fails with status 1 for another version, a full directory, and another program", () => {
  const version = new Stage({ isLost: () => true }).run(1000);
  const other = encodeVersionAnswer({ type: DatagramType.Answer, session: 0, packet: 0 });
  other[2] = 9;
  version.receive(other);
  version.run();
  assertEquals(version.verdicts(), ["directory ok", "version failed"]);
  assertEquals([version.status, version.findings[1]?.fields?.["theirs"]], [1, 9]);

  const full = new Stage({ maxClients: 1 });
  const stranger = { ...HERE, port: 1 };
  occupy(full.server, stranger);
  full.run();
  assertEquals([full.status, full.findings[0]?.fields], [1, { reason: "refusal" }]);

  const foreign = new Stage({ isLost: () => true }).run(1000);
  foreign.receive(new TextEncoder().encode("HTTP/1.1 400 Bad Request"), { ...SERVER, port: 1 });
  foreign.receive(new TextEncoder().encode("HTTP/1.1 400 Bad Request"));
  // Something answered, whatever the system reports.
  foreign.doctor.handleRefused();
  foreign.doctor.handleUnsendable(SERVER, "for a moment");
  foreign.run();
  assertEquals([foreign.status, foreign.findings[0]?.fields], [1, { reason: "foreign" }]);
});

/** Registers a client at the directory, which has room for one. */
function occupy(server: Server, from: Address): void {
  const guest = new Doctor(0, {
    directoryAddresses: [SERVER],
    port: from.port,
    identity: makeKeyPair(new Prng(7).bytes),
    trust: TRUSTING,
    secret: undefined,
    random: new Prng(8).bytes,
    isOwnHost: () => true,
    hasIpv6: false,
    hasIpv4: true,
  });
  for (let i = 0; i < 2; i++) {
    server.handleDatagram(1000, guest.pollTransmit(0)!.bytes, from);
    guest.handleDatagram(0, server.pollTransmit()!.bytes.slice(), SERVER);
  }
  assertEquals(server.table().size, 1);
}

Deno.test("Doctor fails with status 7 where the directory has another key than the trusted one", () => {
  const [isTrusted, refusal] = [() => false, () => "has another key"];
  const stage = new Stage({ trust: { isTrusted, refusal } }).run();
  assertEquals(stage.verdicts(), ["directory ok", "key failed"]);
  assertEquals(stage.findings[1]?.message, "the directory has another key");
  assertEquals(stage.findings[1]?.fields, { fingerprint: fingerprint(DIRECTORY.publicKey) });
  assertEquals([stage.status, stage.server.table().size], [7, 0]);
  // It might have been forged.
  assertEquals(stage.now, 1000 + 2 * DELAY + FORGERY_PATIENCE);
});

Deno.test("Doctor heeds the trusted key, whatever others come before it", () => {
  const isTrusted = (key: Uint8Array): boolean => key.join() === DIRECTORY.publicKey.join();
  const stage = new Stage({ trust: { isTrusted, refusal: () => "" }, isLost: (n) => n === 0 });
  stage.run(1000);
  const other = makeKeyPair(new Prng(8).bytes);
  const forger = newServer({
    maxClients: 1,
    lease: 1,
    identity: other,
    random: new Prng(9).bytes,
  });
  forger.handleDatagram(stage.now, stage.lastSent!, HERE);
  stage.receive(forger.pollTransmit()!.bytes.slice());
  assertEquals(stage.run().status, 0);
});

Deno.test("Doctor reports a secret that the directory lacks, and silence where it lacks one itself", () => {
  const secret = new Uint8Array(16).fill(1);
  assertEquals(new Stage({ secret, serverSecret: secret }).run().status, 0);
  const open = new Stage({ secret }).run();
  assertEquals([open.status, open.findings[0]?.fields], [1, { reason: "secret" }]);
  const closed = new Stage({ serverSecret: secret }).run();
  assertEquals([closed.status, closed.findings[0]?.fields], [3, { reason: "silence" }]);
  assertEquals(closed.findings[0]?.message.includes("--secret"), true);
});

Deno.test("Doctor fails if its leave is not acknowledged in time", () => {
  const stage = new Stage({ isLost: (n) => n >= 2 + PROBES }).run();
  assertEquals(stage.verdicts().at(-1), "leave failed");
  assertEquals(stage.status, 1);
  assertEquals(stage.now <= 1000 + 40 + PROBES * 120 + LEAVE_TIMEOUT, true);
});

Deno.test("Doctor leaves when it is interrupted", () => {
  const stage = new Stage().run(1100);
  assertEquals(stage.server.table().size, 1);
  stage.doctor.stop(stage.now);
  stage.run();
  assertEquals([stage.server.table().size, stage.status], [0, 130]);
});

Deno.test("Doctor ignores datagrams from other addresses", () => {
  const stage = new Stage({ isLost: () => true }).run(1000);
  const header = { type: DatagramType.Answer, session: 0, packet: 0 };
  stage.receive(encodeDatagram(header, []), { ...SERVER, hostname: "203.0.113.1" });
  stage.run();
  assertEquals(stage.findings[0]?.fields, { reason: "silence" });
});

Deno.test("renderFinding() and renderFindingJson() clean and escape the message", () => {
  const finding = {
    check: "roundTrip",
    verdict: "ok",
    message: "1 ms\x1b",
    fields: { n: 1 },
  } as const;
  assertEquals(renderFinding(finding, false), "ok       round trip  1 ms");
  const long = { ...finding, message: "fast or slow" };
  const rows = ["\x1b[32mok\x1b[39m       round trip  fast or", `${" ".repeat(21)}slow`];
  assertEquals(renderFinding(long, true, 31), rows.join("\n"));
  assertEquals(renderVerdict(0, false), "All well");
  assertEquals(renderVerdict(0, true), "It works: see the lines that say warning");
  // It may be one of several that did not answer, or it answered that it cannot now.
  assertEquals(renderVerdict(3, false), "Something is wrong: see the lines that say failed");
  assertEquals(
    renderFindingJson(finding, new Date(0)),
    '{"event":"check","time":"1970-01-01T00:00:00.000Z","check":"roundTrip","verdict":"ok",' +
      '"message":"1 ms\\u001b","n":1}',
  );
});
