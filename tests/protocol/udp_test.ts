import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { type Address, formatAddress } from "../../protocol/wire/address.ts";
import type { DatagramMachine, Instant, Transmit } from "../../protocol/machine.ts";
import {
  type Drive,
  drive,
  interfaceAddresses,
  isIpv6Only,
  openFirstSocket,
  openSocket,
  resolveHost,
  type Socket,
} from "../../protocol/udp.ts";

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

  handleDatagram(_now: Instant, bytes: Uint8Array, from: Address): boolean | void {
    this.calls.push("datagram");
    if (bytes.length === 0) return false;
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

Deno.test("drive() tells a machine that the computer slept, before it does anything else", async () => {
  const wakes: number[] = [];
  let wallClock = Date.now();
  const machine = Object.assign(new Machine(), {
    handleWake: (_now: Instant, slept: number): void => void wakes.push(Math.round(slept / 1_000)),
  });
  const driven = drive(machine, new FakeSocket(), () => {}, () => wallClock);
  driven.input(() => assertEquals(wakes, []));
  wallClock += 70_000;
  driven.input(() => assertEquals(wakes, [70]));
  // The clock of the day was set back: nobody slept, but that cannot be told from here.
  wallClock -= 3_600_000;
  driven.input(() => assertEquals(wakes, [70, 0]));
  await driven.close().catch(() => {});
});

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
  "after a datagram that nothing came of the machine is not drained",
  async ({ driven, machine, socket, events }) => {
    machine.say("waiting");
    const { receipts } = socket;
    socket.deliver("");
    await turn();
    assertEquals([socket.receipts, machine.calls], [receipts + 1, ["datagram"]]);
    assertEquals([socket.sent, events], [[], []]);
    socket.deliver("hi");
    await turn();
    assertEquals(socket.sent, ["waiting"]);
    driven.input(() => {});
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

Deno.test("any number of errors in a row end nothing, and leave time for the rest", async () => {
  const BURST = 1_000;
  const socket = new FakeSocket();
  const receive = socket.receive.bind(socket);
  socket.receive = (buffer) => {
    if (socket.receipts >= BURST) return receive(buffer);
    socket.receipts++;
    const { ConnectionRefused, ConnectionReset } = Deno.errors;
    const Unreachable = socket.receipts % 2 === 0 ? ConnectionReset : ConnectionRefused;
    return Promise.reject(new Unreachable("port unreachable"));
  };
  const events: string[] = [];
  const driven = drive(new Machine(), socket, (event) => events.push(event));
  await turn();
  // Without a pause they would all come before this.
  assertLess(socket.receipts, BURST);
  while (socket.receipts <= BURST) await turn();
  socket.deliver("hello");
  await turn();
  assertEquals(events, ["heard hello from 10.0.0.2"]);
  await driven.close();
});

Deno.test("a socket that something else closed ends the machine's run", async () => {
  const socket = Object.assign(new FakeSocket(), {
    receive: () => Promise.reject(new Deno.errors.BadResource("Socket has been closed")),
  });
  const driven = drive(new Machine(), socket, () => {});
  const error = await driven.finished.catch((error: unknown) => error);
  assert(error instanceof Deno.errors.BadResource);
  await driven.close().catch(() => {});
});

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

/** Answers each datagram with what its sender's address is. */
class Mirror implements DatagramMachine<string> {
  readonly #answers: Transmit[] = [];
  readonly #events: string[] = [];

  handleDatagram(_now: Instant, _bytes: Uint8Array, from: Address): void {
    this.#answers.push({ bytes: new TextEncoder().encode(formatAddress(from)), to: from });
    this.#events.push(from.hostname);
  }

  handleTimeout(): void {}

  nextTimeout(): undefined {}

  pollTransmit(): Transmit | undefined {
    return this.#answers.shift();
  }

  pollEvent(): string | undefined {
    return this.#events.shift();
  }
}

/** Whether this machine has IPv6, and serves both families with one socket. */
const HAS_DUAL_STACK = !isIpv6Only() && (() => {
  try {
    for (const hostname of ["::1", "::"]) openSocket(hostname, 0).close();
    return true;
  } catch {
    return false;
  }
})();

/** Opens sockets where `isOpen` lets it, and counts those that stay open. */
function fakeOpen(
  isOpen: (hostname: string) => boolean,
): { open: typeof openSocket; count: () => number } {
  let count = 0;
  const open = (hostname: string): Deno.DatagramConn => {
    if (!isOpen(hostname)) throw new Deno.errors.AddrInUse("Address already in use");
    count++;
    const addr = { transport: "udp", hostname, port: 7 };
    return { addr, close: () => count-- } as unknown as Deno.DatagramConn;
  };
  return { open, count: () => count };
}

Deno.test("isIpv6Only() tries whether the port is still free for IPv4, and leaves nothing open", () => {
  const cases: [expected: boolean, isOpen: (hostname: string) => boolean][] = [
    [true, () => true],
    [false, (hostname) => hostname === "::"],
    [false, (hostname) => hostname === "0.0.0.0"],
  ];
  for (const [expected, isOpen] of cases) {
    const { open, count } = fakeOpen(isOpen);
    assertEquals([isIpv6Only(open), count()], [expected, 0]);
  }
});

/** Sends to a port of this machine, and returns the answer. */
async function ask(hostname: string, port: number): Promise<{ own: Address; answer: string }> {
  const socket = openSocket(hostname, 0);
  await socket.send(new Uint8Array(1), { transport: "udp", hostname, port });
  const [bytes, from] = await socket.receive();
  socket.close();
  assertEquals((from as Deno.NetAddr).hostname, hostname);
  return { own: socket.addr as Deno.NetAddr, answer: new TextDecoder().decode(bytes) };
}

Deno.test("drive() reports errors of the socket, and goes on", async () => {
  const socket = new FakeSocket();
  const told: string[] = [];
  const machine = new Machine();
  const driven = drive(machine, socket, () => {}, undefined, (error) => told.push(`${error}`));
  await turn();
  socket.fail();
  await turn();
  socket.sending = Promise.reject(new Error("not permitted"));
  driven.input(() => machine.say("hello"));
  await turn();
  await driven.close();
  assertEquals(told, ["Error: port unreachable", "Error: not permitted"]);
});

Deno.test({
  name: "a socket on :: serves IPv6 and IPv4, and the machine has IPv4 hosts in their own form" +
    (HAS_DUAL_STACK ? "" : " (skipped: no socket serves both here)"),
  ignore: !HAS_DUAL_STACK,
  async fn() {
    const socket = openSocket("::", 0);
    const { port } = socket.addr as Deno.NetAddr;
    const heard: string[] = [];
    const driven = drive(new Mirror(), socket, (host) => heard.push(host));
    for (const hostname of ["127.0.0.1", "::1", "127.0.0.1"]) {
      const { own, answer } = await ask(hostname, port);
      assertEquals(answer, formatAddress(own));
    }
    assertEquals(heard, ["127.0.0.1", "::1", "127.0.0.1"]);
    await driven.close();
  },
});

Deno.test("an IPv6 socket is given IPv4 hosts in their mapped form, an IPv4 one as they are", async () => {
  const forms: string[] = [];
  for (const hostname of ["::", "0.0.0.0"]) {
    const mirror = new Mirror();
    const socket = Object.assign(new FakeSocket(), {
      addr: { transport: "udp", hostname, port: 1 } as const,
      send(bytes: Uint8Array, to: Deno.Addr): Promise<number> {
        forms.push((to as Deno.NetAddr).hostname);
        return Promise.resolve(bytes.length);
      },
    });
    const driven = drive(mirror, socket, () => {});
    await turn();
    for (const from of [PEER, { hostname: "2001:db8::1", port: 9 }]) {
      driven.input((now) => mirror.handleDatagram(now, new Uint8Array(1), from));
    }
    await driven.close();
  }
  assertEquals(forms, ["::ffff:10.0.0.2", "2001:db8::1", "10.0.0.2", "2001:db8::1"]);
});

Deno.test("interfaceAddresses() has the loopback address of this machine", () => {
  assert(interfaceAddresses().includes("127.0.0.1"));
});

Deno.test({
  name: "interfaceAddresses() has none where Deno may not look",
  permissions: { sys: false },
  fn(): void {
    assertEquals(interfaceAddresses(), []);
  },
});

/** Opens a real socket on loopback in the place of each address, but throws for some. */
function opener(errors: Readonly<Record<string, Error>>): {
  tried: string[];
  open: typeof openSocket;
} {
  const tried: string[] = [];
  return {
    tried,
    open(hostname, port) {
      tried.push(`${hostname} ${port}`);
      if (errors[hostname] !== undefined) throw errors[hostname];
      return openSocket("127.0.0.1", 0);
    },
  };
}

Deno.test("openFirstSocket() opens one at the first address that the machine has", () => {
  const missing = new Error("Address family not supported by protocol");
  for (const errors of [{}, { "::": missing }]) {
    const { tried, open } = opener(errors);
    openFirstSocket(["::", "0.0.0.0"], 7, open).close();
    assertEquals(tried, "::" in errors ? [":: 7", "0.0.0.0 7"] : [":: 7"]);
  }
  const { open } = opener({ "::": missing, "0.0.0.0": new Error("the last one") });
  assertThrows(() => openFirstSocket(["::", "0.0.0.0"], 0, open), Error, "the last one");
});

Deno.test("openFirstSocket() goes to no other address where the port is in use", () => {
  const { tried, open } = opener({ "::": new Deno.errors.AddrInUse("in use") });
  assertThrows(() => openFirstSocket(["::", "0.0.0.0"], 7, open), Deno.errors.AddrInUse);
  assertEquals(tried, [":: 7"]);
});

Deno.test("resolveHost() gives all addresses of a host, each once", async () => {
  assertEquals(await resolveHost("127.0.0.1"), ["127.0.0.1"]);
  assertEquals(await resolveHost("::1"), ["::1"]);
  const local = await resolveHost("localhost");
  assert(local.includes("127.0.0.1") || local.includes("::1"));
  assertEquals(new Set(local).size, local.length);
});
