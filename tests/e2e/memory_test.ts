// What peers can make a client hold, measured at the limit: see the table in SECURITY.md.
import { assertLess } from "@std/assert";
import { CONNECTIONS_MAX } from "../../protocol/connection/connections.ts";
import { WINDOW } from "../../protocol/connection/send_queue.ts";
import { FLAG_MORE, type Message } from "../../protocol/wire/frame.ts";
import { MaliciousPeer, publicKeyIn, type Target } from "../support/malicious_peer.ts";
import { LINUX, memory } from "./proc.ts";
import { commandLine, type JsonEvent, parseEvent, type RunningServer, Stage } from "./process.ts";

/** MiB by which a client may grow. */
const GROWTH_MAX = 64;
/** The client id that the first peer claims. */
const FIRST_ID = 100;
/** Two bytes for each character in memory. */
const LARGE = `\u0100${"x".repeat(64_000)}`;

/** A client that accepts all, and is registered. */
interface Victim {
  readonly pid: number;
  readonly target: Target;
}

function victimOf(stage: Stage, pid: number, { port, id }: JsonEvent): Victim {
  const publicKey = publicKeyIn(`${stage.folders.config("bob")}/identity`);
  return { pid, target: { port: Number(port), id: Number(id), publicKey } };
}

/** A client whose output is read up to the first event, and then no more. */
function startUnread(stage: Stage, server: RunningServer): Deno.ChildProcess {
  const { program, args, isExecutable } = commandLine("client");
  return new Deno.Command(program, {
    args: [...args, "--server", server.address, "--json", "--accept-all"],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
    clearEnv: isExecutable,
    env: stage.folders.env("bob"),
  }).spawn();
}

/** As many peers as may be connected, at their worst; returns by how many MiB the client grew. */
async function growth(
  { pid, target }: Victim,
  attack: (peer: MaliciousPeer, sender: number) => Promise<void>,
): Promise<number> {
  const before = await memory(pid);
  const ids = Array.from({ length: CONNECTIONS_MAX }, (_, index) => FIRST_ID + index);
  const peers = ids.map((id) => new MaliciousPeer(target, id));
  let most = before;
  try {
    for (const peer of peers) await peer.connect();
    for (const [index, peer] of peers.entries()) {
      await attack(peer, ids[index]!);
      most = Math.max(most, await memory(pid));
    }
  } finally {
    for (const peer of peers) peer[Symbol.dispose]();
  }
  return most - before;
}

function message(sender: number, seq: number, text: string, flags = 0): Message {
  return { kind: "message", sender, seq, flags, text };
}

/** Texts that nobody reads, the beginning of a long one, and all but one of the seqs that follow. */
async function attack(peer: MaliciousPeer, sender: number): Promise<void> {
  for (let seq = 0; seq < 4; seq++) await peer.ask(message(sender, seq, LARGE));
  await peer.ask(message(sender, 4, LARGE, FLAG_MORE));
  for (let seq = 6; seq < 100; seq++) await peer.ask(message(sender, seq, LARGE));
  for (let seq = 100; seq < WINDOW; seq += 500) {
    await peer.ask(...Array.from({ length: 500 }, (_, more) => message(sender, seq + more, "x")));
  }
}

Deno.test({
  name: `16 accepted peers at their worst make a client grow by less than 64 MiB${LINUX.note}`,
  ignore: LINUX.ignore,
  async fn() {
    await using stage = new Stage();
    const bob = startUnread(stage, await stage.serve());
    const reader = bob.stdout.getReader();
    try {
      const { value } = await reader.read();
      const registered = parseEvent(new TextDecoder().decode(value));
      const grown = await growth(victimOf(stage, bob.pid, registered), attack);
      assertLess(grown, GROWTH_MAX);
    } finally {
      bob.kill("SIGKILL");
      await Promise.all([reader.cancel(), bob.stdin.close(), bob.status]);
    }
  },
});
