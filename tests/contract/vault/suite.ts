/**
 * What the homelab needs of a Vault, and what it assumes of its answers. It runs against the lab's Vault in `make test`, and against
 * real ones in real.real.test.ts and, where an address is given, in given.real.test.ts. It removes what it creates, and touches
 * nothing of another owner: it refuses a Vault that already has a mount `kv`.
 */
import { answers } from "./answers";
import { clusterLogins } from "./cluster-logins";
import { driftInVault } from "./drift";
import { firstBoots } from "./first-boot";
import { kvAnswers } from "./kv-answers";
import { permissionAnswers } from "./permission-answers";
import { resourceTypes } from "./resource-types";
import { rootTokens } from "./root-tokens";
import { stackPrivileges } from "./stack-privileges";
import { homelabStory } from "./story";
import { type GivenVault, VaultUnderTest } from "./under-test";

export function vaultSuite(open: () => Promise<GivenVault>): void {
  let vault: VaultUnderTest;
  beforeAll(async () => {
    vault = new VaultUnderTest(await open());
  });
  afterAll(() => vault.close());

  let unsealKeys: readonly string[] = [];
  describe("first boot and seal", () =>
    firstBoots(
      () => vault,
      (keys) => {
        unsealKeys = keys;
      },
    ));
  describe("root tokens", () =>
    rootTokens(
      () => vault,
      () => unsealKeys,
    ));
  describe("who may do what", () =>
    stackPrivileges(
      () => vault,
      () => unsealKeys,
    ));
  describe("the homelab's story", () => homelabStory(() => vault));
  describe("resource types", () => resourceTypes(() => vault));
  describe("drift", () => driftInVault(() => vault));
  describe("answers", () => answers(() => vault));
  describe("answers about entries", () => kvAnswers(() => vault));
  describe("answers about policies and tokens", () => permissionAnswers(() => vault));
  describe("logins of clusters", () => clusterLogins(() => vault));
}
