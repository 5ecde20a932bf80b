/** What the stacks are built from now, compared with what they were built from at a commit. */
import { loadAgeKeys } from "../../secrets/age-keys";
import { foldRuns } from "../store/run-fold";
import { readRuns } from "../store/run-records";
import { baseOfRange, type FormerCheckout, formerCheckout } from "../target/former-checkout";
import { secretsPlace } from "../target/lab-secrets";
import { stackInputs } from "../target/stack-inputs";
import { type Affected, affectedStacks } from "./affected";

export interface ChangeSince {
  affected: Affected;
  /** The caller removes it. */
  former: FormerCheckout;
}

/** @throws HomelabError E_USAGE for a range that does not end with the checkout, E_FORMER_CHECKOUT */
export async function changeSince(range: string, env: Readonly<Record<string, string>>, runsDir: string): Promise<ChangeSince> {
  const former = await formerCheckout(await baseOfRange(range));
  try {
    const [identity] = loadAgeKeys(secretsPlace(env).ageKeyFile);
    const key = identity?.secret ?? "";
    const now = (await stackInputs(key, env)) ?? [];
    return { affected: affectedStacks(await stackInputs(key, env, former.dir), now, foldRuns(readRuns(runsDir)).standings), former };
  } catch (thrown) {
    former.remove();
    throw thrown;
  }
}
