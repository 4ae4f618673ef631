/**
 * The files of a release that are made from templates: what installs it.
 *
 * @module
 */
import { failure, type Result, success } from "../protocol/result.ts";

const FOLDER = new URL("templates/", import.meta.url);
/** Stands for a value, as in `@version@`. */
const PLACEHOLDER = /@([\w:-]+)@/g;

/** What is put in, by the names of placeholders. */
export type Values = ReadonlyMap<string, string>;

/** The name of each template, and of the file that is made from it. */
export function templateNames(owner: string): readonly [template: string, file: string][] {
  return [
    ["install.sh", "install.sh"],
    ["udp-chat.rb", "udp-chat.rb"],
    ["winget.yaml", `${owner}.udp-chat.yaml`],
    ["winget.installer.yaml", `${owner}.udp-chat.installer.yaml`],
    ["winget.locale.en-US.yaml", `${owner}.udp-chat.locale.en-US.yaml`],
  ];
}

/** The text of a template. */
export function readTemplate(name: string): string {
  return Deno.readTextFileSync(new URL(name, FOLDER));
}

/** The template with its values; an error names those that are missing. */
export function fill(template: string, values: Values): Result<string> {
  const missing = new Set<string>();
  const text = template.replace(PLACEHOLDER, (placeholder, name: string) => {
    const value = values.get(name);
    if (value === undefined) missing.add(name);
    return value ?? placeholder;
  });
  return missing.size === 0 ? success(text) : failure(`no ${[...missing].join(", ")}`);
}
