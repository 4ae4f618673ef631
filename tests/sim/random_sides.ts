/**
 * Random networks for two clients, and what path there is between them.
 *
 * @module
 */
import type { PathKind } from "../../protocol/wire/remote.ts";
import type { Prng } from "../support/random.ts";
import { LIFETIME, type NatKind } from "./nat.ts";
import type { SimNetwork } from "./network.ts";
import {
  makeSharedBehind,
  makeSideBehind,
  type SharedKind,
  type Side,
  type Sides,
  withIpv6,
} from "./sites.ts";

/** The shortest memory of a NAT, in milliseconds. */
const LIFETIME_MIN = 5_000;
const NATS_MAX = 2;

/** Two sides. */
export interface RandomSides {
  readonly sides: Sides;
  /** The path on which they end up; undefined where it depends. */
  readonly expected: PathKind | undefined;
  /** For the history of a failed test. */
  readonly what: string;
}

/** Puts two clients into one network, or each into its own. */
export function makeRandomSides(network: SimNetwork): RandomSides {
  const { prng } = network;
  if (prng.chance(0.25)) {
    const kind = prng.pick<SharedKind>(["lan", "subnets", "cgn"]);
    const nat = makeNat(prng);
    const sides = makeSharedBehind(network, kind, nat);
    return { sides, expected: sharedPath(kind, nat), what: Deno.inspect([kind, nat]) };
  }
  const [one, other] = [makeNats(prng), makeNats(prng)];
  const hasIpv6 = [prng.chance(0.4), prng.chance(0.4)];
  const makeOne = (index: 0 | 1, nats: readonly NatKind[]): Side => {
    const side = makeSideBehind(network, index, nats);
    // Whoever has a public address moves with it, and so with all addresses.
    return hasIpv6[index] && nats.length > 0 ? withIpv6(network, index, side) : side;
  };
  const sides: Sides = [makeOne(0, one), makeOne(1, other)];
  const areDual = sides.every((side) => side.other !== undefined);
  const expected = areDual ? "direct" : pathBetween(one, other);
  return { sides, expected, what: Deno.inspect([one, other, hasIpv6]) };
}

function makeNats(prng: Prng): NatKind[] {
  if (prng.chance(0.1)) return [{ ...makeNat(prng), mapping: "none" }];
  return Array.from({ length: prng.int(NATS_MAX + 1) }, () => makeNat(prng));
}

function makeNat(prng: Prng): NatKind {
  return {
    mapping: prng.chance(0.7) ? "independent" : "addressAndPort",
    filtering: prng.pick(["independent", "address", "addressAndPort"]),
    ports: prng.pick(["preserving", "random"]),
    lifetime: prng.chance(0.5) ? LIFETIME : LIFETIME_MIN + prng.next() * LIFETIME,
    isHairpin: prng.chance(0.5),
    isBare: prng.chance(0.1),
  };
}

/** A NAT that gives out other ports than others see, and one that must know from where something comes. */
const isSymmetric = ({ mapping }: NatKind): boolean => mapping === "addressAndPort";
const isStrict = ({ filtering }: NatKind): boolean => filtering === "addressAndPort";

function pathBetween(one: readonly NatKind[], other: readonly NatKind[]): PathKind | undefined {
  if ([...one, ...other].some(({ isBare }) => isBare)) return undefined;
  const symmetric = [one, other].filter((each) => each.some(isSymmetric));
  if (symmetric.length === 2) return undefined;
  if (symmetric.length === 0) return "direct";
  const [uneven] = symmetric;
  const even = uneven === one ? other : one;
  if (!even.some(isStrict)) return "direct";
  // Who lets everybody in may be reached at the port that the directory sees, and cannot answer from there.
  const isOpen = uneven!.some((nat) => isSymmetric(nat) && nat.filtering === "independent");
  return isOpen ? undefined : "carried";
}

function sharedPath(shared: SharedKind, nat: NatKind): PathKind | undefined {
  return shared === "cgn" ? nat.isHairpin ? undefined : "carried" : "lan";
}
