/**
 * Golden vectors of the handshake, and of sealed datagrams: all under keys that are given here.
 *
 * `protocol/README.md` shows the same bytes. `naive_handshake.ts` makes them anew from what is given.
 *
 * @module
 */

/** What everything else follows from, with what is in the two payloads. */
export const GIVEN = {
  requesterStatic: "101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f",
  requesterEphemeral: "303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
  responderStatic: "505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f",
  responderEphemeral: "707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f",
  /** The responder makes its cookies with it. */
  cookieSecret: "c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf",
  /** The private directory's: "correct horse battery staple". */
  directorySecret: "636f727265637420686f727365206261747465727920737461706c65",
} as const;

/** What is in the payloads, and the rest of what is told. */
export const TOLD = {
  requester: { id: 1, name: "zoë", connection: 0x1a2b3c4d },
  responder: { id: 2, name: "Борис", connection: 0x99aabbcc },
  /** The beginning of August 2026. */
  timestamp: 1_785_542_400_000n,
  /** Seven seconds later. */
  acceptTimestamp: 1_785_542_407_000n,
  /** Where the Connection Request comes from. */
  address: { hostname: "192.0.2.7", port: 40000 },
  cookieNonce: 0x0123456789abcdefn,
} as const;

/** The public keys of the private ones. */
export const PUBLIC = {
  requesterStatic: "d89e3bad79437dbed9f843418304f460ff05c7fe81fe4a9577a804cb9367ff66",
  requesterEphemeral: "34e42d4af5ef94a07a3a84201b889d4cd1a743cb27b11b6a10438a8feb8e5847",
  responderStatic: "392d174a38b3b1beafaf1fe824870841c5fa531bc6eafdb6402c124664488c1c",
  responderEphemeral: "23b7bb8c91ae008711fb12846780bcdf1e065f821bdfec49f57e7c7dcd4c4823",
} as const;

/** Message one: ephemeral key, sealed static key and its tag, sealed payload and its tag. */
export const MESSAGE_ONE =
  "34e42d4af5ef94a07a3a84201b889d4cd1a743cb27b11b6a10438a8feb8e584759078670595f5d37" +
  "318295b849d340580168e178a9c32f4403ee8ec962d2b4919acd47e2ee63713a420a284a4e7218cc" +
  "cd67e725688df9644e8fe86d3a935bd3c1d18ec7d40a0d6feeaf479d13bbcbf589b6e004b4502872" +
  "5526e8d2bd59612f00a71933f3762d21e70896c19b09341c1e3ab199ff95f0052dc7cf0a1bb33936" +
  "7f66a16b4dbcda27fcf8bdcd223a5c3b4897b2ef87377d0a4ff273b93c8ec0789da0a003293235d2" +
  "c852c2b20190c2822eb97c59381f8bbf055d245c5b29794fdce915acdcf036c53ec76950f3505dde" +
  "61";

/** Message two: ephemeral key, sealed payload and its tag. */
export const MESSAGE_TWO =
  "23b7bb8c91ae008711fb12846780bcdf1e065f821bdfec49f57e7c7dcd4c4823b67f69e1b5a7ebff" +
  "71add18babaffd4673bf70910c2b6c8bb3ed963fb6c9190410318baf984007a6da4107750e4ba5b7" +
  "001c315157373a1a814e27898cc97ddbd10369c08c6ff1329820b3bb78c6368f39e72a2ba7f7474e" +
  "ba84d1da36a45862c2d3434f6b157979916567dde563284ff9ed9f3121d8d8c4b3927966a6dc313e" +
  "2058042a2430e02a7bcc33ff696755c508d054ed4ff360bd6dd62fb7d868c54b9f";

/** What both ends have made. `forward` is from the requester to the responder. */
export const AGREED = {
  earlyForward: "16ca80ff998077010ed7e65160a02a12a3bc54aa038a8821d26321e7f89abc40",
  earlyBackward: "f503386544bd76d38e68cdb49afc01b3d7645e1c6c757703beaccbfdcad265f9",
  forward: "6f3c621fa38d6f6e8dc17b1c1b561ba34094f0682fcbd776c60eece1c42f285a",
  backward: "fbb5092a8ea4b8a6da1b5538049407d7cbfa6b62ee5d2e21022a910b5706b591",
  /** After the first 2^20 datagrams. */
  secondForward: "aaf3fd77bd2e76bf86bccd6c0d5a87d43b995f1bf7bf7237a33c315ee2b5b7de",
  hash: "d4e82ab2cc742834311c3902a38862049583de54071a392c140dfcf34a1c7366",
  cookie: "e1b5c5fae58a133a56ef0661999640c1",
} as const;

/** What people compare. */
export const READ_ALOUD = {
  requesterFingerprint: "79110 97976 35591 04331 94088 35727",
  responderFingerprint: "33406 38361 94143 63658 31122 96185",
  shortAuthenticationString: "41340 35854 93934 05790 62039 55701",
} as const;

/** A sealed datagram. */
export interface SealedVector {
  readonly name: string;
  /** The datagram. */
  readonly hex: string;
  /** The frames, before they are sealed. */
  readonly plain: string;
  readonly type: 4 | 5;
  readonly connection: number;
  readonly packet: number;
  /** Under which key: the first one of its direction. */
  readonly key: "earlyForward" | "earlyBackward" | "forward" | "backward";
}

/** Sealed datagrams, in the order in which they might be sent. */
export const SEALED: readonly SealedVector[] = [
  {
    name: "Sealed: Ringing",
    hex: `
      75630104 1a2b3c4d 0000112233445566
      9eb49e8afa39d0f6218df217feffceaad8179b6a673dde`,
    plain: "21000400000002",
    type: 4,
    connection: 0x1a2b3c4d,
    packet: 0x1122_3344_5566,
    key: "earlyBackward",
  },
  {
    name: "Sealed: Connection Accept",
    hex: `
      75630104 1a2b3c4d 0000112233445567
      ba02366fc47dea3a8d50b5ebe46268f47182374f65c07af5357eb2a132da722bee43a49ec70aeff2
      b4fdad967cfa323a66ac7004079a05ddfb41b4bf378ca5bf9f386ef98aff42799afa8c7a646a5c58
      e4114b7c27e4bf607d68a0246785dc0382dcc8d210595263d19667fed39a22418da82706c051c18a
      bfd9e4f60137a08c5713c880138944cc6ca1a21ced27c9bb45d92f03dabad65eae7b951d40c12cb7
      953f6ed225a96bc55993167a327dc2d2ed89a90fe952d77d9d37d55f6bc3871a9544c7ff5aa45a43
      8febd7bbf3a5d58e26c502ce`,
    plain: `2200c1${MESSAGE_TWO}`,
    type: 4,
    connection: 0x1a2b3c4d,
    packet: 0x1122_3344_5567,
    key: "earlyBackward",
  },
  {
    name: "Sealed: Ack and Message, from the requester",
    hex: `
      75630105 99aabbcc 0000000000000000
      3e671a5ce384b2aef7167130219913e3eec8e77431f8097bdd669e1d9ef8a7e90d1e14f12cbe5bfc
      366f0f83537ec9b5a55f6db611`,
    plain: "25000f000000000000000000000000000000240010000000000000000100686920f09f918b",
    type: 5,
    connection: 0x99aabbcc,
    packet: 0,
    key: "forward",
  },
  {
    name: "Sealed: Ack and Message, from the responder",
    hex: `
      75630105 1a2b3c4d 0000000000000000
      fc8175e1143ea6981c55a1c1547e6c1213333b5d6d39bab728138d553e1f5bf38c201fd218a12e7d
      a47b93b105eafc0e6857e008032e83bceea0`,
    plain: "25000f000000010000000100000000000000240015000000000000000200d0bfd180d0b8d0b2d0b5d182",
    type: 5,
    connection: 0x1a2b3c4d,
    packet: 0,
    key: "backward",
  },
  {
    name: "Sealed: Connection Keepalive, under the second key",
    hex: `
      75630105 99aabbcc 0000000000100000
      a086c87ca851b0a334535d4e2473510ed71f82`,
    plain: "280000",
    type: 5,
    connection: 0x99aabbcc,
    packet: 2 ** 20,
    key: "forward",
  },
  {
    name: "Sealed: Connection Termination, to cancel a request",
    hex: `
      75630104 1a2b3c4d 0000000000000000
      04c587c33df95477d2d7352aef671124eb11643d3420421b983fd4696de291`,
    plain: "26000c000000011a2b3c4d00000000",
    type: 4,
    connection: 0x1a2b3c4d,
    packet: 0,
    key: "earlyForward",
  },
];
