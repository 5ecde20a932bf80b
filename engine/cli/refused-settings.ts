/**
 * Settings for the engine itself (`pulumi:…`) that the CLI has and this engine does not. They are refused: ignoring one would deploy
 * something else than was asked for.
 */
import { unsupported } from "../errors";

const AUTONAMING = "pulumi:autonaming";

/** The setting's value as JSON, which is how the program gets a map. */
const DEFAULT_NAMING = '{"mode":"default"}';

/** @param values of the stack, as the program gets them. @throws CliError that names the setting */
export function refuseSettings(values: Readonly<Record<string, string>>): void {
  const naming = values[AUTONAMING];
  if (naming !== undefined && naming !== DEFAULT_NAMING) throw unsupported(`the setting ${AUTONAMING} (rules for automatic names)`);
}
