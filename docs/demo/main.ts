/**
 * `deno task demo`: a short conversation between real processes on this machine.
 *
 * A directory and two clients run as processes, and each line that they print is shown with their
 * name. Bob's datagrams pass a relay that drops one of Ana's, which Ana's client then sends again.
 * The demo exits with status 1 if an expected line does not come in time.
 *
 * @module
 */
import { bold, cyan, dim, green, setColorEnabled, yellow } from "@std/fmt/colors";
import { type Program, Stage } from "../../tests/e2e/process.ts";
import { contains, Relay, type RelayedDatagram } from "../../tests/support/relay.ts";

const COLORS: Readonly<Record<string, (text: string) => string>> = {
  server: yellow,
  ana: cyan,
  bob: green,
  relay: dim,
};

/** Prints a line with a name. */
function show(name: string, line: string): void {
  const color = COLORS[name] ?? ((text) => text);
  console.log(`${color(`${name.padStart(6)}│`)} ${line}`);
}

function title(text: string): void {
  console.log(`\n${bold(text)}`);
}

async function type(name: string, client: Program, line: string): Promise<void> {
  show(name, bold(`> ${line}`));
  await client.type(line);
}

/** Drops the first datagram with a message, and reports it and the next one. */
class Loss {
  #droppedAt: number | undefined;
  #isSentAgain = false;

  filter(datagram: RelayedDatagram): "pass" | "drop" {
    const isForBob = datagram.direction === "toClient" && contains(datagram, "message");
    if (!isForBob || this.#isSentAgain) return "pass";
    if (this.#droppedAt === undefined) {
      this.#droppedAt = performance.now();
      show("relay", "drops the datagram with this message");
      return "drop";
    }
    this.#isSentAgain = true;
    const elapsed = performance.now() - this.#droppedAt;
    show("relay", `forwards the retransmission, ${elapsed.toFixed(0)} ms later`);
    return "pass";
  }

  get isSentAgain(): boolean {
    return this.#isSentAgain;
  }
}

async function play(): Promise<void> {
  await using stage = new Stage({ onLine: show, hasFolders: false });

  title("A directory, on a free port");
  const server = await stage.serve("--ephemeral");

  title("Ana registers, and looks up an inactive client");
  const ana = stage.client("ana", server, "--name", "ana", "--ephemeral");
  await ana.stdout.waitFor(/as client 1 \(ana\)/);
  await type("ana", ana, "connect 2");
  await ana.stdout.waitFor(/Client 2 Inactive/);

  title("Bob registers, through a relay that will drop a datagram");
  await using relay = new Relay({ hostname: "127.0.0.1", port: server.port });
  const bob = stage.client("bob", relay, "--name", "bob", "--ephemeral");
  await bob.stdout.waitFor(/as client 2 \(bob\)/);

  title("Ana asks for a connection, directly; Bob accepts");
  await type("ana", ana, "connect bob");
  await ana.stdout.waitFor(/ringing/);
  await bob.stdout.waitFor(/Connection Request from ana/);
  await type("bob", bob, "accept");
  await ana.stdout.waitFor(/Connected to bob/);
  await bob.stdout.waitFor(/Connected to ana/);

  title("They talk");
  await type("ana", ana, "hello bob");
  await bob.stdout.waitFor(/ana: hello bob$/);
  await type("bob", bob, "hello ana 👋");
  await ana.stdout.waitFor(/bob: hello ana 👋$/);

  title("A datagram is lost, and sent again");
  const loss = new Loss();
  relay.filter = (datagram) => loss.filter(datagram);
  const again = relay.waitFor(() => loss.isSentAgain);
  await type("ana", ana, "this one gets lost on its way");
  await again;
  await bob.stdout.waitFor(/ana: this one gets lost on its way$/);

  title("Ana ends the connection; both leave");
  await type("ana", ana, "terminate");
  await ana.stdout.waitFor(/You ended the conversation/);
  await bob.stdout.waitFor(/ana ended the conversation/);
  await type("ana", ana, "leave");
  await ana.stdout.waitFor(/Client Leave acknowledged/);
  await type("bob", bob, "leave");
  await bob.stdout.waitFor(/Client Leave acknowledged/);
  const status = await bob.exitCode();
  if (status !== 0) throw new Error(`Bob's exit status is ${status}`);
  await server.program.stdout.waitFor(/client 2 \(bob\) left/);
  await server.program.stdout.waitFor(/^0 clients$/);
}

setColorEnabled(Deno.stdout.isTerminal() && !Deno.noColor);
try {
  await play();
  title("Done");
} catch (error) {
  console.error(`\nThe demo failed: ${error instanceof Error ? error.message : error}`);
  Deno.exitCode = 1;
}
