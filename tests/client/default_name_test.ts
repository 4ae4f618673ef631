import { assertEquals } from "@std/assert";
import { currentUser } from "../../cli/environment.ts";
import { nameOfLogin, numberedNames, usualName, wantedNames } from "../../client/default_name.ts";
import { NAME_LENGTH_MAX, nameProblem } from "../../protocol/name/name.ts";

Deno.test("nameOfLogin() makes a good name of a login, or none", () => {
  const cases: [string, string][] = [
    ["ana", "ana"],
    ["jean.dupont", "jean.dupont"],
    ["Jean Dupont", "Jean-Dupont"],
    ["CORP\\jdoe", "jdoe"],
    ["ana@example.org", "ana"],
    ["_www", "_www"],
    ["zoë", "zoë"],
    ["o'neill", "o'neill"],
    [".hidden-", "hidden"],
    ["a -- b!", "a-b"],
    ["$%&", ""],
    ["1000", ""],
    ["", ""],
    ["анаana", ""],
  ];
  for (const [login, name] of cases) assertEquals(nameOfLogin(login), name, login);
});

Deno.test("a name of a long login has room for a number", () => {
  for (
    const login of ["x".repeat(100), `${"x".repeat(29)}.${"y".repeat(9)}`, `${"x".repeat(60)}1`]
  ) {
    const name = nameOfLogin(login);
    for (const each of [name, ...numberedNames(name).slice(0, -1)]) {
      assertEquals([nameProblem(each), each.length <= NAME_LENGTH_MAX], [undefined, true], each);
    }
  }
});

Deno.test("usualName() takes a USER that the user chose, else the file, else the login", () => {
  const usual = (configured: string, variables: Record<string, string>): string =>
    usualName(configured, currentUser((name) => variables[name]));
  assertEquals(usual("konrad", { USER: "dora" }), "dora");
  assertEquals(usual("konrad", { USER: "dora", LOGNAME: "root" }), "dora");
  assertEquals(usual("konrad", { USER: "root", LOGNAME: "root" }), "konrad");
  assertEquals(usual("konrad", { USERNAME: "jdoe" }), "konrad");
  assertEquals(usual("konrad", { USER: "!" }), "konrad");
  assertEquals(usual("", { USER: "root", LOGNAME: "root" }), "root");
  assertEquals(usual("", { USER: "", USERNAME: "jdoe" }), "jdoe");
  assertEquals(usual("", {}), "");
  assertEquals(usualName("konrad", undefined), "konrad");
});

Deno.test("numberedNames() adds numbers, and ends without a name", () => {
  assertEquals(numberedNames("ana").slice(0, 2), ["ana2", "ana3"]);
  assertEquals(numberedNames("user1").slice(0, 2), ["user1-2", "user1-3"]);
  assertEquals([numberedNames("ana").length, numberedNames("ana").at(-1)], [9, ""]);
});

Deno.test("wantedNames() asks for what was given and no other, else for what is usual or like it", () => {
  assertEquals(wantedNames("ana", "root", "old"), { name: "ana", otherNames: [] });
  assertEquals(wantedNames("", "", undefined), { name: "", otherNames: [] });
  assertEquals(wantedNames("", "root", undefined), {
    name: "root",
    otherNames: numberedNames("root"),
  });
  // An earlier run that is continued keeps its name, if it can.
  const { name, otherNames } = wantedNames("", "root", "root2");
  assertEquals([name, otherNames.slice(0, 2)], ["root2", ["root", "root3"]]);
  assertEquals(wantedNames("", "", "ben"), { name: "ben", otherNames: [""] });
});
