/**
 * Dispatches the datagrams of a client to its directory link, its requests and its connections.
 *
 * @module
 */
import { type Address, sameAddress } from "../../protocol/wire/address.ts";
import {
  decodeDatagram,
  type DecodedDatagram,
  encodeVersionAnswer,
} from "../../protocol/wire/datagram.ts";
import type { Instant } from "../../protocol/machine.ts";
import { DatagramType, type Header } from "../../protocol/wire/frame.ts";
import type { Connections } from "./connections.ts";
import type { DirectoryLink, Self } from "./directory_link.ts";
import type { Requests } from "./requests.ts";

/** Decodes and dispatches datagrams; counts those that are dropped. */
export class Intake {
  readonly #link: DirectoryLink;
  readonly #requests: Requests;
  readonly #connections: Connections;
  /** Datagrams that were dropped, by reason. */
  readonly dropped = { malformed: 0, otherVersion: 0, notAuthentic: 0 };

  constructor(link: DirectoryLink, requests: Requests, connections: Connections) {
    this.#link = link;
    this.#requests = requests;
    this.#connections = connections;
  }

  /**
   * Takes a datagram.
   *
   * @param self this client, undefined before it is registered.
   */
  handleDatagram(
    now: Instant,
    bytes: Uint8Array,
    from: Address,
    self: Self | undefined,
    isLeaving: boolean,
  ): void {
    const decoded = decodeDatagram(bytes);
    if (decoded.ok) {
      if (!this.#handleDecoded(now, decoded.value, bytes, from, self, isLeaving)) {
        this.dropped.notAuthentic++;
      }
    } else if (decoded.error.reason === "version") {
      this.dropped.otherVersion++;
      this.#handleVersion(now, decoded.error.version, decoded.error.header, bytes, from);
    } else this.dropped.malformed++;
  }

  /** Returns false if the datagram is not authentic. */
  #handleDecoded(
    now: Instant,
    decoded: DecodedDatagram,
    bytes: Uint8Array,
    from: Address,
    self: Self | undefined,
    isLeaving: boolean,
  ): boolean {
    const { header } = decoded;
    if (decoded.sealed !== undefined) {
      return this.#connections.handleDatagram(now, bytes, header, from) ||
        header.type === DatagramType.Handshake &&
          this.#requests.handleHandshake(now, bytes, header, from);
    }
    const { frames } = decoded;
    if (header.type === DatagramType.Answer) return this.#link.handleAnswer(now, bytes, frames);
    for (const frame of frames) {
      if (header.type === DatagramType.Cookie && frame.kind === "cookieReply") {
        this.#requests.handleCookie(now, header, frame);
      } else if (
        header.type === DatagramType.ConnectionRequest && frame.kind === "connectionRequest" &&
        self !== undefined
      ) {
        return this.#requests.handleRequest(now, self, bytes, frame, from, isLeaving);
      }
    }
    return true;
  }

  #handleVersion(
    now: Instant,
    version: number,
    header: Header,
    bytes: Uint8Array,
    from: Address,
  ): void {
    if (header.type !== DatagramType.Version) {
      return this.#requests.reply({ bytes: encodeVersionAnswer(header), to: from });
    }
    this.#link.handleVersion(version, bytes, from);
    const request = this.#requests.outgoing?.request;
    if (request !== undefined && sameAddress(request.address, from)) {
      request.handleVersion(now, version);
    }
  }
}
