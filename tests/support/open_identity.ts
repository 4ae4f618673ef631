/**
 * Opens the identity of the environment that it is started in, for the tests, and prints its
 * fingerprint. The argument seeds the key that a first start makes.
 *
 * @module
 */
import { openIdentity } from "../../client/identity/identity_file.ts";
import { fingerprint } from "../../protocol/crypto/fingerprint.ts";
import { Prng } from "./random.ts";

const random = new Prng(Number(Deno.args[0])).bytes;
const opened = openIdentity({ identity: undefined, isEphemeral: false }, random);
if (opened.kind === "problem") throw new Error(opened.message);
if (opened.notice !== undefined) console.error(opened.notice);
console.log(fingerprint(opened.identity.publicKey));
