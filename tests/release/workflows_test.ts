// The workflows: what they run is pinned, and they may do no more than they need.
import { assert, assertEquals } from "@std/assert";
import { compiledName, TARGETS } from "../../release/targets.ts";

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
    const writers = jobs(text).filter((job) => job.includes(": write"));
    // What publishes runs no code of the repository.
    const isRight = (job: string): boolean =>
      /^(?:image|publish):/.test(job) && !/deno|actions\/checkout/.test(job);
    assertEquals(writers.filter((job) => !isRight(job)), []);
  });
}

function jobs(workflow: string): string[] {
  return workflow.split(/^ {2}(?=\w+:$)/m);
}

function jobNamed(workflow: string, name: string): string {
  return jobs(workflow).find((job) => job.startsWith(`${name}:`)) ?? "";
}

Deno.test("release.yml makes an image of each executable for Linux, after it was tried", () => {
  const text = Deno.readTextFileSync(new URL("release.yml", FOLDER));
  const image = jobNamed(text, "image");
  const processors = [...image.matchAll(/\b\w+:(x86_64|aarch64)\b/g)].map(([, name]) => name);
  const triples = TARGETS.map(({ triple }) => triple).filter((name) => name.includes("linux"));
  assertEquals(processors.map((name) => `${name}-unknown-linux-gnu`), triples);
  assert(image.includes("needs: [gate, try]"));
});

Deno.test("what tests on macOS, or executables, has the programs without which tests are skipped", () => {
  for (const [name, job] of [["ci.yml", "gate"], ["release.yml", "try"]] as const) {
    const text = jobNamed(Deno.readTextFileSync(new URL(name, FOLDER)), job);
    assert(/brew install tmux redis\b/.test(text), name);
    if (job === "try") assert(text.includes("apt-get install -y tmux redis-server;"));
  }
});

Deno.test("release.yml compiles and tries each target", () => {
  const text = Deno.readTextFileSync(new URL("release.yml", FOLDER));
  for (const target of TARGETS) {
    assert(new RegExp(`^ .*\\b${target.triple}\\b.*$`, "m").test(jobNamed(text, "compile")));
    assert(jobNamed(text, "try").includes(`executable: ${compiledName(target)} }`));
  }
});
