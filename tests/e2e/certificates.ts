/**
 * Certificates of an authority that nobody knows, made by openssl.
 *
 * @module
 */
import { REDIS, REDIS_COMMAND } from "./redis_server.ts";

/** For the names of tests that need them, and a server of Redis that has TLS. */
export const TLS: { readonly ignore: boolean; readonly note: string } = findTls();

/** The files of a server's certificate, its key, and the certificate of its authority. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
}

function findTls(): { ignore: boolean; note: string } {
  if (REDIS.ignore) return REDIS;
  if (run("openssl", "version") === undefined) {
    return { ignore: true, note: " (skipped: no openssl)" };
  }
  // One without TLS does not know the setting; this one starts nothing either.
  const isKnown = run(REDIS_COMMAND, "--port", "0", "--tls-port", "0")?.includes("not listen");
  return isKnown ? REDIS : { ignore: true, note: ` (skipped: ${REDIS_COMMAND} has no TLS)` };
}

/** Makes a certificate for the hosts, of an authority of its own, in an empty folder. */
export function makeCertificate(folder: string, hosts: readonly string[]): Certificate {
  const file = (name: string): string => `${folder}/${name}`;
  const names = hosts.map((host) => /^[\d.]+$/.test(host) ? `IP:${host}` : `DNS:${host}`);
  Deno.writeTextFileSync(file("hosts"), `subjectAltName=${names.join(",")}`);
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const authority = [
    "-keyout",
    file("ca.key"),
    "-out",
    file("ca.crt"),
    "-subj",
    `/CN=${crypto.randomUUID()}`,
  ];
  openssl("req", "-x509", ...newKey, ...authority);
  const request = ["-keyout", file("key"), "-out", file("request"), "-subj", "/CN=store"];
  openssl("req", ...newKey, ...request);
  const signer = ["-CA", file("ca.crt"), "-CAkey", file("ca.key"), "-CAcreateserial"];
  const files = ["-in", file("request"), "-extfile", file("hosts"), "-out", file("certificate")];
  openssl("x509", "-req", ...signer, ...files);
  return { certificate: file("certificate"), key: file("key"), authority: file("ca.crt") };
}

function openssl(...args: string[]): void {
  const { success, stderr } = new Deno.Command("openssl", { args }).outputSync();
  if (!success) throw new Error(`openssl: ${new TextDecoder().decode(stderr)}`);
}

/** What a command prints; undefined where there is none. */
function run(command: string, ...args: string[]): string | undefined {
  try {
    const { stdout } = new Deno.Command(command, { args, stderr: "null" }).outputSync();
    return new TextDecoder().decode(stdout);
  } catch {
    return undefined;
  }
}
