/**
 * The configuration file on the disk.
 *
 * @module
 */
import { join } from "node:path";
import { failure, type Result, success } from "../protocol/result.ts";
import { configFolder } from "./config_folder.ts";
import { isSet, PLATFORM } from "./environment.ts";
import { fileProblem, readFileIfAny } from "./files.ts";
import type { OptionTable } from "./options.ts";
import { parseSettings, type Settings, type SettingTable } from "./settings.ts";

/** The name of the file in the configuration folder. */
const FILE_NAME = "config";
/** Bytes in the largest file. */
const SETTINGS_SIZE_MAX = 65_536;

/** What the user's configuration file sets; nothing where there is none, or it may not be read. */
export function readSettings<Table extends OptionTable>(
  options: Table,
  settings: SettingTable<Table>,
): Result<Settings<Table>> {
  const folder = configFolder(PLATFORM);
  if (folder === undefined) return success({});
  const file = join(folder, FILE_NAME);
  try {
    const text = readFileIfAny(file, SETTINGS_SIZE_MAX);
    if (text === undefined) return success({});
    const parsed = parseSettings(options, settings, text, isSet);
    return parsed.ok ? parsed : failure(`Cannot use ${file}: ${parsed.error}`);
  } catch (error) {
    return failure(`Cannot read ${file}: ${fileProblem(error)}`);
  }
}
