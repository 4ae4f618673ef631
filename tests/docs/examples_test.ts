// The programs in docs/examples/ do what they say, over real sockets on this machine.
import { assert, assertEquals, assertLess } from "@std/assert";
import { serve } from "../../docs/examples/directory.ts";
import { runEchoPeer } from "../../docs/examples/echo_peer.ts";
import * as chat from "../../protocol/mod.ts";

const LOCALHOST = "127.0.0.1";

/** The address that a socket is bound to. */
function addressOf(socket: Deno.DatagramConn): chat.Address {
  const { port } = socket.addr as Deno.NetAddr;
  return { hostname: LOCALHOST, port };
}

type EventOf<K extends chat.EndpointEvent["kind"]> = Extract<chat.EndpointEvent, { kind: K }>;

/** An endpoint on a socket, and its events, which can be waited for. */
class Program {
  readonly endpoint: chat.Endpoint;
  readonly driven: chat.Drive;
  readonly events: chat.EndpointEvent[] = [];
  /** The datagrams that it sent, and how many came. */
  readonly sent: Uint8Array[] = [];
  received = 0;
  /** Sends a datagram from its address. */
  readonly send: (bytes: Uint8Array, to: chat.Address) => Promise<number>;
  #wake = Promise.withResolvers<void>();

  constructor(directory: chat.Address, options: Partial<chat.EndpointOptions> = {}) {
    const socket = chat.openSocket(LOCALHOST, 0);
    const random = chat.systemRandom;
    this.endpoint = new chat.Endpoint(chat.clock(), {
      directoryAddresses: [directory],
      id: 0,
      name: "",
      port: addressOf(socket).port,
      identity: chat.makeKeyPair(random),
      policy: chat.TIMER_POLICIES.adaptive,
      random,
      ...options,
    });
    this.send = (bytes, to) => socket.send(bytes, { transport: "udp", ...to });
    const recorder: chat.Socket = {
      send: (bytes, to) => {
        this.sent.push(bytes.slice());
        return socket.send(bytes, to as Deno.NetAddr);
      },
      receive: async (buffer) => {
        const received = await socket.receive(buffer);
        this.received++;
        return received;
      },
      close: () => socket.close(),
    };
    this.driven = chat.drive(this.endpoint, recorder, (event) => {
      this.events.push(event);
      this.#wake.resolve();
      this.#wake = Promise.withResolvers();
    });
  }

  /** The next event of one of these kinds. */
  async next<K extends chat.EndpointEvent["kind"]>(...kinds: readonly K[]): Promise<EventOf<K>> {
    for (;;) {
      const index = this.events.findIndex(({ kind }) => kinds.some((each) => each === kind));
      const [event] = index < 0 ? [] : this.events.splice(index, 1);
      if (event !== undefined) return event as EventOf<K>;
      await this.#wake.promise;
    }
  }

  /** Connects with a client; again where that has not registered yet. */
  async connect(id: number): Promise<EventOf<"connected">> {
    for (;;) {
      this.driven.input((now) => assert(this.endpoint.connect(now, { id, name: "" }).ok));
      const event = await this.next("connected", "requestFailed");
      if (event.kind === "connected") return event;
      assertEquals(event.failure, { why: "inactive" });
    }
  }
}

/** The example directory on a free port, for as long as `body` takes. */
async function withDirectory(body: (directory: chat.Address) => Promise<void>): Promise<void> {
  const socket = chat.openSocket(LOCALHOST, 0);
  const serving = serve(socket);
  try {
    await body(addressOf(socket));
  } finally {
    socket.close();
    await serving;
  }
}

Deno.test("the examples fit on a page", async () => {
  for (const [name, page] of [["directory", 52], ["echo_peer", 42]] as const) {
    const path = new URL(`../../docs/examples/${name}.ts`, import.meta.url);
    const lines = (await Deno.readTextFile(path)).split("\n");
    const code = lines.filter((line) => !/^\s*(?:\/\/|\/\*\*|\*|$)/.test(line));
    assertLess(code.length, page, name);
  }
});

Deno.test("the echo peer, registered at the example directory, sends back what it is sent", async () => {
  await withDirectory(async (directory) => {
    const program = new Program(directory);
    const { id } = await program.next("registered");
    const echo = runEchoPeer([directory]);
    try {
      // Ids are given in the order of the registrations.
      const { connection } = await program.connect(id + 1);
      assertEquals(connection.ids.remoteName, "echo");
      const texts = ["hi", "", "zoë 👋", "x".repeat(60_000)];
      program.driven.input(() => texts.forEach((text) => connection.send(text)));
      for (const text of texts) assertEquals((await program.next("message")).text, text);
      for (const _ of texts) await program.next("delivered");
      program.driven.input((now) => program.endpoint.leave(now));
      assertEquals((await program.next("terminated")).by, "local");
      assertEquals((await program.next("left")).acknowledged, true);
    } finally {
      await program.driven.close();
      await echo.close();
    }
  });
});

Deno.test("a program with the library accepts a request, which rings", async () => {
  await withDirectory(async (directory) => {
    const [ana, ben] = [
      new Program(directory, { name: "ana" }),
      new Program(directory, { name: "ben" }),
    ];
    try {
      await ana.next("registered");
      const { id } = await ben.next("registered");
      const connecting = ana.connect(id);
      await ana.next("ringing");
      const { request } = await ben.next("request");
      assertEquals(request.name, "ana");
      ben.driven.input((now) => assert(ben.endpoint.accept(now, request).ok));
      const [ours, theirs] = [await connecting, await ben.next("connected")];
      assertEquals([ours.by, theirs.by], ["request", "acceptance"]);
      assertEquals(ours.connection.handshakeHash, theirs.connection.handshakeHash);
      ben.driven.input(() => theirs.connection.send("welcome"));
      assertEquals((await ana.next("message")).text, "welcome");
      ben.driven.input((now) => theirs.connection.terminate(now));
      assertEquals((await ana.next("terminated")).by, "peer");
    } finally {
      await ana.driven.close();
      await ben.driven.close();
    }
  });
});

Deno.test("the example directory registers nobody twice", async () => {
  await withDirectory(async (directory) => {
    const program = new Program(directory);
    try {
      const { id } = await program.next("registered");
      const [, register] = program.sent;
      assertEquals(register?.[3], chat.DatagramType.Register);
      for (let times = 0; times < 3; times++) await program.send(register!, directory);
      program.driven.input((now) =>
        assert(program.endpoint.connect(now, { id: id + 1, name: "" }).ok)
      );
      assertEquals((await program.next("requestFailed")).failure, { why: "inactive" });
      // A Challenge, the Answers to the Register, and that to the Call.
      assertEquals(program.received, 6);
    } finally {
      await program.driven.close();
    }
  });
});
