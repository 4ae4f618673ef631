// The workflows: what they run is pinned, and they may do no more than they need.
import { assert, assertEquals } from "@std/assert";

const FOLDER = new URL("../../.github/workflows/", import.meta.url);

for (const { name } of Deno.readDirSync(FOLDER)) {
  const text = Deno.readTextFileSync(new URL(name, FOLDER));

  Deno.test(`${name} names each action by a commit, with its version beside it`, () => {
    const uses = text.split("\n").filter((line) => /\buses:/.test(line));
    assert(uses.length > 0);
    assertEquals(uses.filter((line) => !/@[\da-f]{40} # v\d+\.\d+\.\d+$/.test(line)), []);
  });

  Deno.test(`${name} may only read, but where it says more for one job`, () => {
    assert(/^permissions:\n {2}contents: read\n\n/m.test(text));
    const writers = text.split(/^ {2}(?=\w+:$)/m).filter((job) => job.includes(": write"));
    // What publishes runs no code of the repository.
    assertEquals(writers.filter((job) => !job.startsWith("publish:") || job.includes("deno")), []);
  });
}
