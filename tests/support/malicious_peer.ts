/**
 * A malicious peer on a socket of its own: with a running client it makes a handshake, is accepted, and
 * then seals whatever a test wants.
 *
 * @module
 */
import { assert } from "@std/assert";
import { parseIdentity } from "../../cli/identity.ts";
import { KeyPair, makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { systemRandom } from "../../protocol/udp.ts";
import type { Frame } from "../../protocol/wire/frame.ts";
import { HostilePeer } from "../fuzz/hostile_peer.ts";
import { Prng } from "./random.ts";

/** A running client that accepts all. */
export interface Target {
  readonly port: number;
  readonly id: number;
  readonly publicKey: Uint8Array;
}

/** The public key in an identity file. */
export function publicKeyIn(file: string): Uint8Array {
  const parsed = parseIdentity(Deno.readTextFileSync(file));
  assert(parsed.ok, file);
  return new KeyPair(parsed.value).publicKey;
}

/** A peer with a key of its own. */
export class MaliciousPeer {
  readonly #target: Target;
  readonly #peer: HostilePeer;
  readonly #socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });

  /** @param id the client id that it claims. */
  constructor(target: Target, id: number) {
    this.#target = target;
    const address = { hostname: "127.0.0.1", port: target.port };
    const identity = makeKeyPair(systemRandom);
    this.#peer = new HostilePeer(new Prng(id), { id, name: "", address, identity });
  }

  /** Makes the handshake and the request, which the client accepts. */
  async connect(): Promise<void> {
    await this.send(this.#peer.initiation(this.#target.publicKey));
    this.#peer.handleResponse(await this.#receive());
    const answer = await this.ask(this.#peer.requestFrame(this.#target.id));
    assert(answer.some(({ kind }) => kind === "connectionAccept"), "accepted");
  }

  /** Seals frames and sends them, then waits for the client's next datagram; returns its frames. */
  async ask(...frames: Frame[]): Promise<readonly Frame[]> {
    await this.send(this.#peer.sealFrames(...frames));
    return this.#peer.open(await this.#receive());
  }

  /** Sends any bytes. */
  async send(bytes: Uint8Array): Promise<void> {
    const { port } = this.#target;
    await this.#socket.send(bytes, { transport: "udp", hostname: "127.0.0.1", port });
  }

  /** The client's next datagram. */
  async #receive(): Promise<Uint8Array> {
    const [bytes] = await this.#socket.receive(new Uint8Array(65_536));
    return bytes;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
