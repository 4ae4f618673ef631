import { assert, assertEquals } from "@std/assert";
import { encodeVersionAnswer } from "../../protocol/wire/datagram.ts";
import { DatagramType } from "../../protocol/wire/frame.ts";
import { VERSION_PATIENCE } from "../../protocol/connection/outgoing_request.ts";
import { FORGERY_PATIENCE } from "../../protocol/directory/unproven.ts";
import { DIRECTORY, story } from "./stage.ts";
import { STRANGER } from "./stranger.ts";

const HEADER = { type: DatagramType.Register, session: 0, packet: 0 };

/** The bytes as a program of version 2 would send them. */
function asVersion2(bytes: Uint8Array): Uint8Array {
  const other = bytes.slice();
  other[2] = 2;
  return other;
}

story("a directory of another version is an error, and the client ends", (stage) => {
  stage.directory.crash();
  const ana = stage.client("ana");
  stage.network.transmit(DIRECTORY, ana.host.address, asVersion2(encodeVersionAnswer(HEADER)));
  stage.wait(FORGERY_PATIENCE + 19);
  assertEquals(ana.errors, []);
  stage.wait(1);
  assertEquals(ana.errors, ["version"]);
  assertEquals(ana.last("error").message, "The directory speaks version 2, this client 1");
  assertEquals(ana.last("left"), { kind: "left", undelivered: 0, acknowledged: false });
});

story("a forged Version datagram ends no registration, although answers are lost", (stage) => {
  stage.lose("challenge", { times: stage.mode === "fixed" ? 1 : 4 });
  const ana = stage.client("ana");
  stage.network.transmit(DIRECTORY, ana.host.address, asVersion2(encodeVersionAnswer(HEADER)));
  stage.wait(30_000);
  assertEquals([ana.errors, ana.events("registered").length, ana.id], [[], 1, 1]);
});

story("a Version datagram from another address has no effect", (stage) => {
  const ana = stage.client("ana");
  stage.network.transmit(STRANGER, ana.host.address, asVersion2(encodeVersionAnswer(HEADER)));
  stage.wait(1000);
  assertEquals(ana.errors, []);
  assertEquals(ana.id, 1);
});

story("a directory that restarts with another version ends no connection", (stage) => {
  const [ana, ben] = stage.pair();
  stage.directory.crash();
  stage.network.script((datagram) => {
    if (datagram.to !== "directory") return undefined;
    const answer = asVersion2(encodeVersionAnswer(HEADER));
    const { address } = datagram.from === "ana" ? ana.host : ben.host;
    stage.network.at(stage.now, () => stage.network.transmit(DIRECTORY, address, answer));
    return "drop";
  });
  stage.wait(60_000);
  assertEquals(ana.events("left"), []);
  assertEquals(ana.events("serverLost").length, 1);
  ana.send("still here");
  stage.wait(100);
  assertEquals(ben.texts, ["still here"]);
});

story("a peer of another version is an error", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben");
  ben!.crash();
  ana!.connect(2);
  stage.wait(100);
  stage.network.transmit(
    ben!.host.address,
    ana!.host.address,
    asVersion2(encodeVersionAnswer(HEADER)),
  );
  stage.wait(VERSION_PATIENCE - 1);
  assertEquals(ana!.errors, []);
  stage.wait(100);
  assertEquals(ana!.errors, ["version"]);
  assertEquals(ana!.last("error").message, "ben speaks version 2, this client 1");
  assertEquals(ana!.view.state, "idle");
});

story("a forged Version datagram ends no request, before and while it rings", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben");
  const forge = (): void => {
    const forged = asVersion2(encodeVersionAnswer(HEADER));
    stage.network.transmit(ben!.host.address, ana!.host.address, forged);
  };
  // It arrives before the first answer, which is lost, and again while the request rings.
  stage.network.script(({ from, to, bytes }) => {
    if (from === "ben" && to === "ana" && bytes[2] === 1) {
      forge();
      return ana!.events("requesting").length === 1 ? "drop" : undefined;
    }
    return undefined;
  });
  ana!.connect(2);
  forge();
  stage.wait(15_000);
  assertEquals(ana!.events("ringing").length, 1);
  forge();
  stage.wait(15_000);
  assertEquals([ana!.errors, ana!.view.state], [[], "requesting"]);
  ben!.accept();
  stage.wait(100);
  assertEquals(ana!.view.state, "connected");
});

for (const to of ["directory", "ana"]) {
  story(`the ${to} answers another version with no more bytes than it received`, (stage) => {
    const [ana] = stage.clients("ana");
    const { address } = to === "ana" ? ana!.host : stage.directory;
    const request = stage.datagrams().find((datagram) => datagram.frame("register"))!.bytes;
    for (const bytes of [request, request.subarray(0, 16), request.subarray(0, 15)]) {
      const since = stage.now;
      stage.network.transmit(STRANGER, address, asVersion2(bytes));
      stage.wait(100);
      const [, ...answers] = stage.datagrams(undefined, since);
      assertEquals(answers.length, bytes.length < 16 ? 0 : 1);
      for (const answer of answers) {
        assert(answer.bytes.length <= bytes.length);
        assertEquals([answer.bytes[2], answer.bytes[3]], [1, DatagramType.Version]);
      }
    }
  });

  story(`the ${to} does not answer a Version datagram`, (stage) => {
    const [ana] = stage.clients("ana");
    const { address } = to === "ana" ? ana!.host : stage.directory;
    for (const bytes of [encodeVersionAnswer(HEADER), asVersion2(encodeVersionAnswer(HEADER))]) {
      const since = stage.now;
      stage.network.transmit(STRANGER, address, bytes);
      stage.wait(100);
      assertEquals(stage.datagrams(undefined, since).length, 1);
    }
    assertEquals(ana!.view.state, "idle");
  });
}

story("two clients of different versions do not answer each other endlessly", (stage) => {
  stage.carryNothing();
  const [ana, ben] = stage.clients("ana", "ben");
  // Each of them gets the datagrams of the other as of version 2.
  stage.network.script((datagram) => {
    if (![datagram.from, datagram.to].every((name) => name === "ana" || name === "ben")) return;
    if (datagram.bytes[2] !== 1) return undefined;
    const [from, to] = datagram.from === "ana" ? [ana, ben] : [ben, ana];
    const bytes = asVersion2(datagram.bytes);
    stage.network.at(
      stage.now,
      () => stage.network.transmit(from!.host.address, to!.host.address, bytes),
    );
    return "drop";
  });
  const since = stage.now;
  ana!.connect(2);
  stage.wait(VERSION_PATIENCE + 100);
  assertEquals(ana!.last("error").message, "ben speaks version 2, this client 1");
  // Each Initiation and each Punch with a Version datagram, both of them twice.
  const first = [...stage.times("initiation"), ...stage.times("punch")].length;
  const between = stage.datagrams(undefined, since).filter(({ from, to }) =>
    from !== "directory" && to !== "directory"
  );
  assertEquals(between.length, first * 2 * 2);
});
