import { assertEquals, assertMatch } from "@std/assert";
import { UNSENT_AFTER, watchSending } from "../../client/sending_watch.ts";
import type { Socket } from "../../protocol/udp.ts";

const HERE = { transport: "udp", hostname: "127.0.0.1", port: 1 } as const;
const ELSEWHERE = { ...HERE, hostname: "192.0.2.1" } as const;

/** A watched socket that can send to some addresses, and what its user is told. */
class Watched {
  now = 1000;
  reachable: unknown[] = [];
  readonly told: string[] = [];
  readonly socket: Socket;

  constructor() {
    const inner: Socket = {
      send: (bytes, to) =>
        this.reachable.includes(to)
          ? Promise.resolve(bytes.length)
          : Promise.reject(new Error("Network is unreachable (os error 101)")),
      receive: () => new Promise(() => {}),
      close: () => {},
    };
    this.socket = watchSending(inner, () => this.now, {
      note: (message) => this.told.push(`note: ${message}`),
      noteTrouble: (message) => this.told.push(`trouble: ${message}`),
    });
  }

  async send(to: typeof HERE | typeof ELSEWHERE): Promise<void> {
    const sending = this.socket.send(new Uint8Array(3), to);
    if (this.reachable.includes(to)) assertEquals(await sending, 3);
    else assertMatch(await sending.catch(String) as string, /unreachable/);
  }
}

Deno.test("watchSending() tells once that nothing can be sent for 5 s, and when it can be again", async () => {
  const watched = new Watched();
  await watched.send(HERE);
  watched.now += UNSENT_AFTER - 1;
  await watched.send(ELSEWHERE);
  assertEquals(watched.told, []);
  for (let times = 0; times < 3; times++) {
    watched.now++;
    await watched.send(HERE);
  }
  assertEquals(watched.told, [
    "trouble: No datagram can be sent: Network is unreachable · trying on",
  ]);
  watched.reachable = [HERE];
  await watched.send(HERE);
  await watched.send(HERE);
  assertEquals(watched.told.slice(1), ["note: Datagrams can be sent again"]);
});

Deno.test("watchSending() is silent where one address cannot be reached, and another can", async () => {
  const watched = new Watched();
  watched.reachable = [HERE];
  for (let ms = 0; ms < 3 * UNSENT_AFTER; ms += 1000) {
    await watched.send(ELSEWHERE);
    await watched.send(HERE);
    watched.now += 1000;
  }
  assertEquals(watched.told, []);
});
