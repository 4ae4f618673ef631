import { assert, assertEquals } from "@std/assert";
import type { Address } from "../../protocol/wire/address.ts";
import type { DatagramMachine, Instant, Transmit } from "../../protocol/machine.ts";
import { type Drive, drive, type Socket } from "../../protocol/udp.ts";

const PEER = { transport: "udp", hostname: "10.0.0.2", port: 9 } as const;

/** A machine that sends all inputs since its last datagram in one, as a connection does. */
class Machine implements DatagramMachine<string> {
  /** What was asked of it, in turn. */
  readonly calls: string[] = [];
  timeout: Instant | undefined;
  #waiting: string[] = [];
  #events: string[] = [];

  say(word: string): void {
    this.#waiting.push(word);
    this.#events.push(`said ${word}`);
  }

  handleDatagram(_now: Instant, bytes: Uint8Array, from: Address): void {
    this.calls.push("datagram");
    this.#events.push(`heard ${new TextDecoder().decode(bytes)} from ${from.hostname}`);
  }

  handleTimeout(now: Instant): void {
    this.calls.push("timeout");
    if (this.timeout === undefined || this.timeout > now) return;
    this.timeout = undefined;
    this.say("late");
  }

  nextTimeout(): Instant | undefined {
    return this.timeout;
  }

  pollTransmit(): Transmit | undefined {
    if (this.#waiting.length === 0) return undefined;
    const bytes = new TextEncoder().encode(this.#waiting.join(" "));
    this.#waiting = [];
    this.#events.push("sent");
    return { bytes, to: PEER };
  }

  pollEvent(): string | undefined {
    return this.#events.shift();
  }
}

/** A socket in memory, whose sends and receipts the test completes. */
class FakeSocket implements Socket {
  readonly sent: string[] = [];
  /** Where set, a send waits for it, or fails with it. */
  sending: Promise<number> | undefined;
  receipts = 0;
  isClosed = false;
  #receipt = Promise.withResolvers<string>();

  send(bytes: Uint8Array): Promise<number> {
    this.sent.push(new TextDecoder().decode(bytes));
    return this.sending ?? Promise.resolve(bytes.length);
  }

  async receive(buffer: Uint8Array): Promise<[Uint8Array, Deno.Addr]> {
    this.receipts++;
    const bytes = new TextEncoder().encode(await this.#receipt.promise);
    this.#receipt = Promise.withResolvers();
    buffer.set(bytes);
    return [buffer.subarray(0, bytes.length), PEER];
  }

  deliver(text: string): void {
    this.#receipt.resolve(text);
  }

  fail(): void {
    this.#receipt.reject(new Error("port unreachable"));
    this.#receipt = Promise.withResolvers();
  }

  close(): void {
    this.isClosed = true;
    // The caller may have stopped waiting for it.
    this.#receipt.promise.catch(() => {});
    this.#receipt.reject(new Error("closed"));
  }
}

/** Lets everything happen that waits for nothing. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

interface Stage {
  readonly machine: Machine;
  readonly socket: FakeSocket;
  readonly events: string[];
  readonly driven: Drive;
}

function driveTest(name: string, body: (stage: Stage) => Promise<void>): void {
  Deno.test(name, async () => {
    const [machine, socket, events] = [new Machine(), new FakeSocket(), [] as string[]];
    const driven = drive(machine, socket, (event) => events.push(event));
    await turn();
    await body({ machine, socket, events, driven });
    await driven.close().catch(() => {});
  });
}

driveTest(
  "what is said in one turn leaves together",
  async ({ driven, machine, socket, events }) => {
    for (const word of ["a", "b", "c"]) driven.input(() => machine.say(word));
    assertEquals(events, ["said a", "said b", "said c"], "events are told at once");
    assertEquals(socket.sent, []);
    await turn();
    driven.input(() => machine.say("d"));
    await turn();
    assertEquals(socket.sent, ["a b c", "d"]);
    assertEquals(events, ["said a", "said b", "said c", "sent", "said d", "sent"]);
  },
);

driveTest(
  "an answer to a datagram leaves before the socket is looked at again",
  async ({ driven, machine, socket }) => {
    const seen: number[] = [];
    const { receipts } = socket;
    const send = socket.send.bind(socket);
    socket.send = (bytes) => {
      seen.push(socket.receipts);
      return send(bytes);
    };
    const { handleDatagram } = machine;
    machine.handleDatagram = (now, bytes, from) => {
      handleDatagram.call(machine, now, bytes, from);
      // Like an answer to an event: later, in the same turn.
      queueMicrotask(() => driven.input(() => machine.say("answer")));
    };
    socket.deliver("question");
    await turn();
    assertEquals(socket.sent, ["answer"]);
    assertEquals(seen, [receipts]);
    assertEquals(socket.receipts, receipts + 1);
  },
);

driveTest(
  "sends wait for one another, and what comes meanwhile is sent next",
  async ({ driven, machine, socket }) => {
    const first = Promise.withResolvers<number>();
    socket.sending = first.promise;
    driven.input(() => machine.say("a"));
    await turn();
    socket.sending = undefined;
    driven.input(() => machine.say("b"));
    driven.input(() => machine.say("c"));
    await turn();
    assertEquals(socket.sent, ["a"]);
    first.resolve(1);
    await turn();
    assertEquals(socket.sent, ["a", "b c"]);
  },
);

driveTest(
  "a datagram that cannot be sent is a lost datagram",
  async ({ driven, machine, socket }) => {
    socket.sending = Promise.reject(new Error("network is unreachable"));
    driven.input(() => machine.say("a"));
    await turn();
    socket.sending = undefined;
    driven.input(() => machine.say("b"));
    await turn();
    assertEquals(socket.sent, ["a", "b"]);
  },
);

driveTest(
  "timeouts are handled when they are due, not before",
  async ({ driven, machine, socket }) => {
    driven.input((now) => machine.timeout = now + 20);
    await turn();
    // The timer that was set first rings too early for the new deadline.
    driven.input((now) => machine.timeout = now + 40);
    while (socket.sent.length === 0) await turn();
    assertEquals(socket.sent, ["late"]);
    assertEquals(machine.calls.filter((call) => call === "timeout"), ["timeout"]);
  },
);

driveTest("an error of the socket is none of the machine's", async ({ socket, events }) => {
  socket.fail();
  await turn();
  socket.deliver("hello");
  await turn();
  assertEquals(events, ["heard hello from 10.0.0.2"]);
});

driveTest(
  "a hundred errors in a row mean that the socket is broken",
  async ({ driven, socket }) => {
    const finished = driven.finished.then(() => undefined, ({ message }) => message);
    for (let errors = 0; errors < 99; errors++) {
      socket.fail();
      await turn();
    }
    const { receipts } = socket;
    socket.fail();
    assertEquals(await finished, "port unreachable");
    assertEquals(socket.receipts, receipts);
  },
);

driveTest(
  "closing sends what waits, then takes and tells nothing more",
  async ({ driven, machine, socket, events }) => {
    driven.input(() => machine.say("farewell"));
    const closing = driven.close();
    driven.input(() => machine.say("too late"));
    socket.deliver("too late");
    await closing;
    assertEquals(socket.sent, ["farewell"]);
    assertEquals(events, ["said farewell", "sent"]);
    assertEquals(machine.calls, []);
    assert(socket.isClosed);
  },
);
