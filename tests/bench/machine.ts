/**
 * The machine that the benchmarks run on, and its tools.
 *
 * @module
 */
import { cpus } from "node:os";
import type { Machine } from "./report.ts";

/** Whether this machine runs Linux. */
export const isLinux = Deno.build.os === "linux";

/** Describes this machine. */
export function describeThisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown processor",
    cores: navigator.hardwareConcurrency,
    os: `${Deno.build.os} ${Deno.build.arch}`,
    deno: Deno.version.deno,
  };
}

/** Whether a program can be started. */
export function hasProgram(name: string, ...args: string[]): boolean {
  try {
    new Deno.Command(name, { args, stdin: "null", stdout: "null", stderr: "null" }).outputSync();
    return true;
  } catch {
    return false;
  }
}

/** Runs a program; returns its output. */
export function runProgram(name: string, ...args: string[]): string {
  const { success, stdout, stderr } = new Deno.Command(name, { args, stdin: "null" }).outputSync();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${name} ${args.join(" ")}: ${decoder.decode(stderr).trim()}`);
  return decoder.decode(stdout);
}

/** Whether processes can be pinned to cores. */
export function hasPinning(): boolean {
  return isLinux && navigator.hardwareConcurrency > 1 && hasProgram("taskset", "--version");
}

/** Why network namespaces cannot be made; undefined if they can. */
export function namespaceProblem(): string | undefined {
  if (!isLinux) return "needs Linux";
  if (Deno.uid() !== 0) return "needs root";
  return hasProgram("ip", "-V") ? undefined : "needs ip (iproute2)";
}

/** The resident memory of a process in bytes. */
export function residentBytes(pid: number): number {
  return 1024 * Number(runProgram("ps", "-o", "rss=", "-p", String(pid)));
}

/** Ticks in a second of the times in /proc. */
const TICKS = 100;
/** Fields of /proc/PID/stat after the name of the program: ticks in its own code and in the system. */
const USER_TICKS_AT = 11;
const SYSTEM_TICKS_AT = 12;

/** Seconds of CPU time that all threads of a process have had; Linux only. */
export function cpuSeconds(pid: number): number {
  const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[USER_TICKS_AT]) + Number(fields[SYSTEM_TICKS_AT])) / TICKS;
}
