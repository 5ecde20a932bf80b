/** `homelab rehearse` of the smallest homelab that `homelab init` writes. */
import * as fs from "node:fs";
import { z } from "zod";
import { removeHomelab } from "../support/homelab";
import { Rehearsal } from "../support/rehearsal";

const SITE = ["--domain", "example.org", "--network", "10.20.0.0/24", "--node", "pve=10.20.0.2", "--stacks", "tools", "--user", "ops"];
const answerSchema = z.object({ ok: z.boolean(), proofs: z.array(z.object({ what: z.string(), ok: z.boolean(), says: z.string() })) });

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = new Rehearsal();
  fs.rmSync(rehearsal.secretsDir, { recursive: true });
  removeHomelab(rehearsal.checkout);
  const { code, stderr } = await rehearsal.start(["init", "--yes", ...SITE], { env: { HOMELAB_SECRETS_DIR: "" } }).done;
  expect([code, stderr]).toEqual([0, ""]);
}, 120_000);
afterAll(() => rehearsal.close(), 60_000);

test("a rehearsal builds everything from bare hosts, and proves that each service works", async () => {
  const { code, stdout, stderr } = await rehearsal.start(["rehearse", "--json"], { env: { HOMELAB_SECRETS_DIR: "" } }).done;
  expect([stderr, stdout === ""]).toEqual(["", false]);
  const { ok, proofs } = answerSchema.parse(JSON.parse(stdout));
  expect(proofs.filter((proof) => !proof.ok)).toEqual([]);
  expect(proofs.map(({ what }) => what)).toEqual(
    expect.arrayContaining([
      "rebuilt from bare hosts",
      "built again",
      "https://vault.example.org",
      "kubeconfig of tools, read from Vault",
      "copy of all states, restored",
      "states lost, made anew from what exists",
      "destroyed",
      "calls that the lab does not model",
    ]),
  );
  expect([code, ok]).toEqual([0, true]);
}, 1_200_000);
