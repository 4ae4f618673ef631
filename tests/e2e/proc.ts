/**
 * What a process costs, as Linux tells it.
 *
 * @module
 */

/** For tests that read it. */
export const LINUX = Deno.build.os === "linux"
  ? { ignore: false, note: "" }
  : { ignore: true, note: " (skipped: reads /proc, which only Linux has)" };

/** The content of `/proc/PID/NAME`; cat reads it because Deno guards that folder. */
async function proc(pid: number, name: string): Promise<string> {
  const { stdout } = await new Deno.Command("cat", { args: [`/proc/${pid}/${name}`] }).output();
  return new TextDecoder().decode(stdout);
}

/** Milliseconds of processor time that a process has used, in its own code and in the system. */
export async function processorTime(pid: number): Promise<number> {
  // The fields after the name, which is in parentheses and may contain anything; see proc(5).
  const fields = (await proc(pid, "stat")).replace(/^.*\)\s/s, "").split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  return ticks * 10;
}

/** MiB of memory that a process has. */
export async function memory(pid: number): Promise<number> {
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(await proc(pid, "status"))?.[1]) / 1024;
}

/** Datagrams for a UDP port that the system dropped because its buffer was full; see proc(5). */
export async function droppedDatagrams(port: number): Promise<number> {
  const { stdout } = await new Deno.Command("cat", { args: ["/proc/net/udp"] }).output();
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = new TextDecoder().decode(stdout).split("\n").map((line) => line.trim().split(/\s+/));
  return rows.filter(([, local]) => local?.endsWith(suffix))
    .reduce((sum, row) => sum + Number(row.at(-1)), 0);
}
