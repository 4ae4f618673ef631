/**
 * The systems that there are executables for.
 *
 * @module
 */

/** A target of `deno compile`. */
export interface Target {
  readonly triple: string;
  /** The name of the executable. */
  readonly executable: "udp-chat" | "udp-chat.exe";
  /** The form of its archive, as the end of its name. */
  readonly format: "tar.gz" | "zip";
}

function unix(triple: string): Target {
  return { triple, executable: "udp-chat", format: "tar.gz" };
}

/** All targets. */
export const TARGETS: readonly Target[] = [
  unix("x86_64-unknown-linux-gnu"),
  unix("aarch64-unknown-linux-gnu"),
  unix("x86_64-apple-darwin"),
  unix("aarch64-apple-darwin"),
  { triple: "x86_64-pc-windows-msvc", executable: "udp-chat.exe", format: "zip" },
];

/** The name of the file that a target is compiled to: `udp-chat-` with the target. */
export function compiledName({ triple, executable }: Target): string {
  return executable.replace("udp-chat", `udp-chat-${triple}`);
}

/** The name of the archive of a target, without the end that says its form. */
export function archiveStem({ triple }: Target, version: string): string {
  return `udp-chat-${version}-${triple}`;
}
