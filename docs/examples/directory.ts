// A directory that registers clients, and finds them by their ids. It forgets nobody.
// deno run --allow-net --unstable-net --allow-read docs/examples/directory.ts
import * as chat from "../../protocol/mod.ts";

const LEASE = 45_000;
const { systemRandom: random } = chat;
const registrar = new chat.Registrar({ identity: chat.makeKeyPair(random), random });
const clients: (chat.Found & { key: Uint8Array; session: number; packet: number })[] = [];

function answerTo(bytes: Uint8Array, address: chat.Address): Uint8Array | undefined {
  const [now, decoded] = [chat.clock(), chat.decodeDatagram(bytes)];
  if (!decoded.ok) return undefined;
  const { header: { session, packet }, frames: [first] } = decoded.value;
  if (first?.kind === "credentials") {
    const key = registrar.hasCookie(now, first, address) ? registrar.agree(first) : undefined;
    const asked = key && chat.readRegister(key, decoded.value);
    if (!key || !asked) return registrar.encodeChallenge(now, first, address);
    // A Register that comes again, as where its Answer was lost, gets the same Answer again.
    const known = clients.find((each) => `${each.key}` === `${key}`);
    const [id, publicKey] = [known?.id ?? clients.length + 1, first.publicKey.slice()];
    const found = { kind: "found", id, name: asked.name, address, publicKey } as const;
    if (!known) clients.push({ ...found, key, session: asked.session, packet });
    const registered = { ...asked, kind: "registered", id, lease: LEASE, seenAt: address } as const;
    return registrar.encodeAnswer(key, asked.session, packet, registered);
  }
  const client = clients[session - 1];
  const asked = client && chat.readRequest(client.key, decoded.value);
  // An answer is sealed with the packet counter of its request: none may be answered twice.
  if (!client || !asked || packet <= client.packet) return undefined;
  client.packet = packet;
  const answer: chat.Frame = asked.kind === "lookUp"
    ? clients[asked.id - 1] ?? { ...asked, kind: "inactive" }
    : { kind: asked.kind === "leave" ? "leaveAck" : "leaseKeepaliveAck", lease: LEASE };
  return registrar.encodeAnswer(client.key, client.session, packet, answer);
}

export async function serve(socket: Deno.DatagramConn): Promise<void> {
  await chat.loadCipher();
  for await (const [bytes, from] of socket) {
    const answer = answerTo(bytes, from as Deno.NetAddr);
    if (answer !== undefined) await socket.send(answer, from);
  }
}

if (import.meta.main) await serve(chat.openSocket("127.0.0.1", 7070));
