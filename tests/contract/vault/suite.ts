/**
 * What the homelab asks of a Vault, and what it takes for granted of the answers. The lab's Vault is held to it in `make test`,
 * a real one where an address is given (given.real.test.ts). What is made is removed again, and nothing of another owner is
 * touched: a Vault that has a mount `kv` already is refused.
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
