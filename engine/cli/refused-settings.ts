/** Settings of the engine's own (`pulumi:…`) that the CLI has and this engine does not: to pass over one would make something else than was asked for. */
import { unsupported } from "../errors";

const AUTONAMING = "pulumi:autonaming";

/** JSON, as maps of settings are told. */
const DEFAULT_NAMING = '{"mode":"default"}';

/** @param values of the stack, as the program gets them. @throws CliError that names the setting */
export function refuseSettings(values: Readonly<Record<string, string>>): void {
  const naming = values[AUTONAMING];
  if (naming !== undefined && naming !== DEFAULT_NAMING) throw unsupported(`the setting ${AUTONAMING} (rules for automatic names)`);
}
