/**
 * Opens the identity of the environment that it is started in, for the tests, and prints its
 * fingerprint. The argument seeds the key that a first start makes.
 *
 * @module
 */
import { CLIENT_IDENTITY, openIdentity } from "../../cli/identity_file.ts";
import { fingerprint } from "../../protocol/crypto/fingerprint.ts";
import { Prng } from "./random.ts";

const random = new Prng(Number(Deno.args[0])).bytes;
const opened = openIdentity(CLIENT_IDENTITY, { identity: undefined, isEphemeral: false }, random);
if (!opened.ok) throw new Error(opened.error);
const { identity, notice } = opened.value;
if (notice !== undefined) console.error(notice);
console.log(fingerprint(identity.publicKey));
