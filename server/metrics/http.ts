/**
 * The few requests of HTTP that are answered: `GET` and `HEAD` for three paths.
 *
 * Each connection has one request, without a body, and one answer (RFC 9112).
 *
 * @module
 */
import { CONTENT_TYPE } from "./exposition.ts";

/** Bytes in the longest head of a request. */
export const HEAD_SIZE_MAX = 8192;

/** What is answered. */
export interface Pages {
  /** The metrics as text. */
  readonly renderMetrics: () => string;
  /** Whether the directory serves clients now: not before it can, nor while it stops. */
  readonly isReady: () => boolean;
}

interface Answer {
  readonly status: string;
  readonly body: string;
  readonly headers?: readonly string[];
}

const PLAIN = "text/plain; charset=utf-8";

/** Whether the head of a request is complete. */
export function isComplete(head: string): boolean {
  return /\r?\n\r?\n/.test(head);
}

/** The answer to the head of a request, complete or cut off where it was too long. */
export function answerRequest(head: string, pages: Pages): string {
  if (!isComplete(head)) return encode(TOO_LONG, false);
  const [method = "", target = "", version = ""] = head.slice(0, head.search(/\r?\n/)).split(" ");
  const isHttp = /^[A-Z]+$/.test(method) && /^HTTP\/1\.[01]$/.test(version);
  const [path = ""] = target.split("?");
  return encode(isHttp ? answerTo(method, path, pages) : NO_REQUEST, method === "HEAD");
}

const NO_REQUEST: Answer = { status: "400 Bad Request", body: "no request of HTTP/1.1\n" };
const TOO_LONG: Answer = {
  status: "431 Request Header Fields Too Large",
  body: "request too long\n",
};

function answerTo(method: string, path: string, { renderMetrics, isReady }: Pages): Answer {
  if (method !== "GET" && method !== "HEAD") {
    const headers = ["Allow: GET, HEAD"];
    return { status: "405 Method Not Allowed", body: "only GET and HEAD\n", headers };
  }
  switch (path) {
    case "/metrics":
      return { status: OK, body: renderMetrics(), headers: [`Content-Type: ${CONTENT_TYPE}`] };
    case "/healthz":
      return { status: OK, body: "ok\n" };
    case "/readyz":
      return isReady()
        ? { status: OK, body: "ready\n" }
        : { status: "503 Service Unavailable", body: "not ready\n" };
    default:
      return { status: "404 Not Found", body: "try /metrics, /healthz or /readyz\n" };
  }
}

const OK = "200 OK";

function encode({ status, body, headers = [] }: Answer, isHead: boolean): string {
  const hasType = headers.some((header) => header.startsWith("Content-Type:"));
  const lines = [
    `HTTP/1.1 ${status}`,
    ...headers,
    ...hasType ? [] : [`Content-Type: ${PLAIN}`],
    `Content-Length: ${new TextEncoder().encode(body).length}`,
    "Cache-Control: no-store",
    "X-Content-Type-Options: nosniff",
    "Connection: close",
  ];
  return `${lines.join("\r\n")}\r\n\r\n${isHead ? "" : body}`;
}
