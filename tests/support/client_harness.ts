/**
 * A Client without a network: the test plays its directory and its peers.
 *
 * @module
 */
import { Client } from "../../client/client.ts";
import type { ClientEvent } from "../../client/event.ts";
import type { ClientOptions } from "../../client/view.ts";
import { DIRECTORY } from "./fake_directory.ts";
import type { FakeResponder } from "./fake_peer.ts";
import { MachineHarness } from "./machine_harness.ts";
import { clientOptions } from "./client_options.ts";

export { framesOf, kindsOf, type Sent, STRANGER } from "./machine_harness.ts";

/** A client that is registering. */
export class ClientHarness extends MachineHarness<ClientEvent> {
  readonly client: Client;

  constructor(options: Partial<ClientOptions> = {}) {
    super();
    this.client = new Client(
      this.now,
      clientOptions({
        directoryAddresses: [DIRECTORY],
        serverName: "localhost:7070",
        name: "ana",
        port: 4000,
        identity: this.identity,
        random: this.random,
        ...options,
      }),
    );
  }

  protected get machine(): Client {
    return this.client;
  }
}

/** A registered client with the id 1. */
export function registered(options: Partial<ClientOptions> = {}): ClientHarness {
  return new ClientHarness(options).register();
}

/** A client that requests client 2, which the test plays. */
export function requesting(): ClientHarness & { peer: FakeResponder } {
  const harness = registered();
  harness.client.connect(harness.now, 2);
  const { peer } = harness.respond(2);
  harness.events();
  return Object.assign(harness, { peer });
}
