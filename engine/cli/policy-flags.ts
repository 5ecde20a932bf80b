/** `--policy-pack` and `--policy-pack-config`: one file of settings for each pack, in the same order, or none at all. */
import type { DeploymentRequest } from "../contracts";
import { CliError } from "../errors";
import type { Flags } from "./flags";

/** @throws CliError where the two do not go together */
export function policyPacks(flags: Flags): NonNullable<DeploymentRequest["policyPacks"]> {
  const packs = flags.commaList("policy-pack");
  const configs = flags.commaList("policy-pack-config");
  if (configs.length > 0 && packs.length === 0) throw new CliError('"--policy-pack-config" must be specified with "--policy-pack"');
  if (configs.length > 0 && configs.length !== packs.length)
    throw new CliError('the number of "--policy-pack-config" flags must match the number of "--policy-pack" flags');
  return packs.map((path, at) => ({ path, config: configs[at] }));
}
