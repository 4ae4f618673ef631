// A directory that registers clients, and introduces them by their ids. It forgets nobody.
// deno run --allow-net --unstable-net --allow-read docs/examples/directory.ts
import * as chat from "../../protocol/mod.ts";

const LEASE = 45_000;
const { systemRandom: random } = chat;
const registrar = new chat.Registrar({ identity: chat.makeKeyPair(random), random });
const clients:
  (chat.Meeting & { key: Uint8Array; session: number; packet: number; told: number })[] = [];

type Send = (bytes: Uint8Array, to: chat.Address) => void;

function handle(bytes: Uint8Array, address: chat.Address, send: Send): void {
  const [now, decoded] = [chat.clock(), chat.decodeDatagram(bytes)];
  if (!decoded.ok) return;
  const { header: { session, packet }, frames: [first] } = decoded.value;
  if (first?.kind === "credentials") {
    const key = registrar.hasCookie(now, first, address) ? registrar.agree(first) : undefined;
    const asked = key && chat.readRegister(key, decoded.value);
    if (!key || !asked) return send(registrar.encodeChallenge(now, first, address), address);
    // A Register that comes again, as where its Answer was lost, gets the same Answer again.
    const known = clients.find((each) => `${each.key}` === `${key}`);
    const [id, publicKey] = [known?.id ?? clients.length + 1, first.publicKey.slice()];
    const { name, session } = asked;
    const meeting = { kind: "meeting", number: 0n, flags: 0, addresses: [address] } as const;
    if (!known) clients.push({ ...meeting, id, name, publicKey, key, session, packet, told: 0 });
    const registered = { ...asked, kind: "registered", id, lease: LEASE, seenAt: address } as const;
    return send(registrar.encodeAnswer(key, session, packet, registered), address);
  }
  const client = clients[session - 1];
  const asked = client && chat.readRequest(client.key, decoded.value);
  // An answer is sealed with the packet counter of its request: none may be answered twice.
  if (!client || !asked || packet <= client.packet) return;
  client.packet = packet;
  const answer = (frame: chat.Frame): void =>
    send(registrar.encodeAnswer(client.key, client.session, packet, frame), address);
  if (asked.kind === "leave") return answer({ kind: "leaveAck" });
  if (asked.kind !== "call") return answer({ kind: "leaseKeepaliveAck", lease: LEASE });
  const callee = clients[asked.id - 1];
  if (!callee) return answer({ ...asked, kind: "inactive" });
  // A Call has no fewer bytes than both Meetings, so that nothing is amplified.
  if (bytes.length < chat.CALL_SIZE) return;
  const number = crypto.getRandomValues(new BigUint64Array(1))[0]!;
  const notice = { ...client, number };
  send(
    registrar.encodeNotice(callee.key, callee.session, callee.told++, notice),
    callee.addresses[0]!,
  );
  answer({ ...callee, number, flags: chat.FLAG_CALLER });
}

export async function serve(socket: Deno.DatagramConn): Promise<void> {
  await chat.loadCipher();
  for await (const [bytes, from] of socket) {
    handle(bytes, from as Deno.NetAddr, (sent, { hostname, port }) => {
      socket.send(sent.slice(), { transport: "udp", hostname, port }).catch(() => {});
    });
  }
}

if (import.meta.main) await serve(chat.openSocket("127.0.0.1", 7070));
