import { assertEquals } from "@std/assert";
import { RejectReason } from "../../protocol/wire/frame.ts";
import { story } from "./stage.ts";

story("connect accepts a pending request of the same client", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben");
  ana!.connect(2);
  stage.wait(100);
  ben!.connect("ana");
  stage.wait(100);
  assertEquals([ana, ben].map((each) => each!.view.state), ["connected", "connected"]);
  assertEquals(ben!.events("requesting"), []);
});

story("several pending requests are accepted and rejected by id or name", (stage) => {
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
  assertEquals(cleo!.events("connected").length, 1);
  assertEquals(ben!.events("rejected"), []);
  dora!.accept();
  stage.wait(100);
  assertEquals(ben!.events("connected").length, 1);
  assertEquals([dora!.view.requests, dora!.events("requestEnded")], [[], []]);
  dora!.accept(2);
  assertEquals(dora!.errors, ["noRequest"]);
});

story("accept does not cancel a request to another client", (stage) => {
  const [ana, ben, cleo] = stage.clients("ana", "ben", "cleo");
  ana!.connect(2);
  stage.wait(100);
  cleo!.connect(1);
  stage.wait(100);
  ana!.accept(3);
  stage.wait(100);
  assertEquals([ana!.view.peer?.id, ana!.view.outgoing?.peer], [3, 2]);
  assertEquals(cleo!.view.state, "connected");
  ben!.accept();
  stage.wait(100);
  assertEquals([ana!.view.peer?.id, ana!.view.others.map(({ id }) => id)], [2, [3]]);
  assertEquals(ana!.events("cancelled"), []);
});
