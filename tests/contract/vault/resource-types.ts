/** The vault provider: what each type makes, what it reads back, and what it refuses. */
import { authMethods } from "./types/auth-methods";
import { typeBench } from "./types/bench";
import { entries } from "./types/entries";
import { mounts } from "./types/mounts";
import { policiesAndTokens } from "./types/policies-and-tokens";
import type { VaultUnderTest } from "./under-test";

export function resourceTypes(vault: () => VaultUnderTest): void {
  const bench = typeBench(vault);
  mounts(bench);
  entries(bench);
  policiesAndTokens(bench);
  authMethods(bench);
}
