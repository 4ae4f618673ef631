import { assertEquals, assertStringIncludes } from "@std/assert";
import { answerRequest, HEAD_SIZE_MAX, isComplete } from "../../../server/metrics/http.ts";

const PAGES = { renderMetrics: () => "é 1\n", isReady: () => true };

/** The status and the body of an answer, whose length is as it says. */
function answer(head: string, pages = PAGES): [status: string, body: string] {
  const text = answerRequest(head, pages);
  const [, status = "", headers = "", body = ""] =
    /^HTTP\/1\.1 (\d{3}) [^\r\n]+\r\n([^]*?)\r\n\r\n([^]*)$/.exec(text) ?? [];
  assertStringIncludes(headers, "Connection: close");
  const [, length = ""] = /Content-Length: (\d+)/.exec(headers) ?? [];
  if (!head.startsWith("HEAD ")) {
    assertEquals(Number(length), new TextEncoder().encode(body).length);
  }
  return [status, body];
}

Deno.test("answerRequest() answers GET for the metrics, and says whether it lives and is ready", () => {
  assertEquals(answer("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), ["200", "é 1\n"]);
  assertEquals(answer("GET /metrics?x=1 HTTP/1.0\r\n\r\n"), ["200", "é 1\n"]);
  assertEquals(answer("GET /healthz HTTP/1.1\r\n\r\n"), ["200", "ok\n"]);
  assertEquals(answer("GET /readyz HTTP/1.1\r\n\r\n"), ["200", "ready\n"]);
  const busy = { ...PAGES, isReady: () => false };
  assertEquals(answer("GET /readyz HTTP/1.1\r\n\r\n", busy), ["503", "not ready\n"]);
  assertEquals(answer("GET /healthz HTTP/1.1\r\n\r\n", busy), ["200", "ok\n"]);
});

Deno.test("answerRequest() names the version of the format", () => {
  assertStringIncludes(
    answerRequest("GET /metrics HTTP/1.1\r\n\r\n", PAGES),
    "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n",
  );
});

Deno.test("answerRequest() answers HEAD with the length, and no body", () => {
  const text = answerRequest("HEAD /metrics HTTP/1.1\r\n\r\n", PAGES);
  assertStringIncludes(text, "Content-Length: 5\r\n");
  assertEquals(text.endsWith("\r\n\r\n"), true);
});

Deno.test("answerRequest() refuses everything else", () => {
  const cases: [head: string, status: string][] = [
    ["GET / HTTP/1.1\r\n\r\n", "404"],
    ["GET /metrics/ HTTP/1.1\r\n\r\n", "404"],
    ["POST /metrics HTTP/1.1\r\n\r\n", "405"],
    ["GET /metrics HTTP/2.0\r\n\r\n", "400"],
    ["GET /metrics\r\n\r\n", "400"],
    ["get /metrics HTTP/1.1\r\n\r\n", "400"],
    ["\x16\x03\x01 hello\r\n\r\n", "400"],
    [`GET /${"x".repeat(HEAD_SIZE_MAX)}`, "431"],
  ];
  for (const [head, status] of cases) assertEquals(answer(head)[0], status, head.slice(0, 40));
});

Deno.test("isComplete() finds the empty line, also where lines end with a line feed alone", () => {
  assertEquals(isComplete("GET / HTTP/1.1\r\nA: b\r\n\r\n"), true);
  assertEquals(isComplete("GET / HTTP/1.1\n\n"), true);
  assertEquals(isComplete("GET / HTTP/1.1\r\nA: b\r\n"), false);
});
