import { assertEquals } from "@std/assert";
import { RejectReason } from "../../protocol/frame.ts";
import { story } from "./stage.ts";

story("to connect to somebody who rings is to accept", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben");
  ana!.connect(2);
  stage.wait(100);
  ben!.connect("ana");
  stage.wait(100);
  assertEquals([ana, ben].map((each) => each!.view.state), ["connected", "connected"]);
  assertEquals(ben!.told("requesting"), []);
});

story("several requests wait, and are accepted by id or by name; the others hear busy", (stage) => {
  const [ana, ben, cleo, dora] = stage.clients("ana", "ben", "cleo", "dora");
  for (const each of [ana, ben, cleo]) {
    each!.connect(4);
    stage.wait(100);
  }
  assertEquals(dora!.view.requests.map(({ id }) => id), [1, 2, 3]);
  dora!.reject("ana");
  stage.wait(100);
  assertEquals(ana!.last("rejected").reason, RejectReason.declined);
  dora!.accept(3);
  stage.wait(100);
  assertEquals(cleo!.told("connected").length, 1);
  assertEquals(ben!.last("rejected").reason, RejectReason.busy);
  assertEquals(dora!.told("requestEnded"), [
    { kind: "requestEnded", peer: 2, name: "ben", why: "busy" },
  ]);
  assertEquals(dora!.view.requests, []);
  ben!.connect("dora");
  stage.wait(100);
  assertEquals(ben!.told("rejected").length, 2);
  assertEquals(ben!.last("rejected").reason, RejectReason.busy);
  dora!.accept(2);
  assertEquals(dora!.errors, ["noRequest"]);
});

story("to accept somebody while one requests another cancels that", (stage) => {
  const [ana, ben, cleo] = stage.clients("ana", "ben", "cleo");
  ana!.connect(2);
  stage.wait(100);
  cleo!.connect(1);
  stage.wait(100);
  ana!.accept(3);
  stage.wait(100);
  assertEquals(ana!.told("cancelled"), [{ kind: "cancelled", peer: 2 }]);
  assertEquals(ben!.last("requestEnded").why, "cancelled");
  assertEquals(cleo!.view.state, "connected");
});
