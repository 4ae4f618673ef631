/**
 * The help of `udp-chat client`.
 *
 * @module
 */
import { type Help, optionSection, section } from "../cli/help.ts";
import { commandRows } from "./commands/help.ts";
import { EXIT_STATUS_HELP } from "./exit.ts";
import { OPTIONS, SETTINGS } from "./options.ts";

/** The help of `udp-chat client`. */
export const CLIENT_HELP: Help = {
  usage: "udp-chat client [OPTIONS]",
  blocks: [
    "Registers with a directory, and talks to other clients directly, over UDP.",
    optionSection(OPTIONS),
    "Options not given come from the file config in the configuration folder,\n" +
    `one a line, as in "server chat.example": ${Object.keys(SETTINGS).join(", ")}.`,
    section("Commands, typed or from a pipe or file", commandRows()),
    'With --json a line may be an object: {"command":"send","peer":2,"text":"hello"}.\n' +
    "Ctrl-C drops a paste, cancels a Connection Request, else leaves; a second one\n" +
    "leaves at once. Ctrl-Z stops the client, fg brings it back.\n" +
    "The end of the input terminates and leaves.",
    section("Exit status", EXIT_STATUS_HELP.map(([status, help]) => [`${status}`, help])),
    section("Examples", [
      ["udp-chat client --name ana", "register, then talk"],
      ["udp-chat client --connect ana", "register and call ana"],
      ['udp-chat client --connect 2 --send "hi"', "send one message"],
      ["make | udp-chat client --connect 2 --send -", "send what make prints"],
      ["udp-chat client --json < commands", "for programs"],
    ]),
  ],
};
