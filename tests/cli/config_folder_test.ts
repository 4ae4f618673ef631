import { assertEquals } from "@std/assert";
import { configFolder, type Platform } from "../../cli/config_folder.ts";

Deno.test("configFolder() follows the platform and the environment", () => {
  const folder = (platform: Partial<Platform>, env: Record<string, string>): string | undefined =>
    configFolder({ isWindows: false, isMac: false, env: (name) => env[name], ...platform });
  const HOME = "/home/ana";
  assertEquals(folder({}, { HOME }), "/home/ana/.config/udp-chat");
  assertEquals(folder({}, { HOME, XDG_CONFIG_HOME: "/x/" }), "/x/udp-chat");
  assertEquals(folder({}, { HOME, XDG_CONFIG_HOME: "x" }), "/home/ana/.config/udp-chat");
  assertEquals(folder({}, { HOME: "/" }), "/.config/udp-chat");
  assertEquals(folder({}, {}), undefined);
  assertEquals(
    folder({ isMac: true }, { HOME: "/Users/ana" }),
    "/Users/ana/Library/Application Support/udp-chat",
  );
  const windows = { isWindows: true };
  const APPDATA = "C:\\Users\\ana\\AppData\\Roaming";
  assertEquals(folder(windows, { APPDATA, HOME }), `${APPDATA}\\udp-chat`);
  assertEquals(folder(windows, { USERPROFILE: "C:\\Users\\ana" }), `${APPDATA}\\udp-chat`);
  assertEquals(folder(windows, { HOME }), undefined);
});
