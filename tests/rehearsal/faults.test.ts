/**
 * Injects faults into builds: each takes effect, and none reveals a bug. With HOMELAB_TEST_FAULTS=all (make nightly) or names of faults, the
 * tests' homelab is built. Without it, the smallest homelab that `homelab init` writes is built with two faults. HOMELAB_TEST_SEED decides
 * where they take effect.
 */
import * as fs from "node:fs";
import { z } from "zod";
import { removeHomelab } from "../support/homelab";
import { Rehearsal } from "../support/rehearsal";

const ASKED = process.env["HOMELAB_TEST_FAULTS"] ?? "";
const SMALL = process.env["HOMELAB_TEST_SMALL"] ?? (ASKED === "" ? "1" : "");
const FAULTS = ASKED === "" ? "proxmox.reply-lost,vm.reboot" : ASKED;
const SEED = process.env["HOMELAB_TEST_SEED"] ?? "1";
const SITE = ["--domain", "example.org", "--network", "10.20.0.0/24", "--node", "pve=10.20.0.2", "--stacks", "tools", "--user", "ops"];

/**
 * Faults that no build of the tests' homelab meets, and which test has each. There is no cluster by kubeadm (tests/roles/kubeadm-in-lab.test.ts).
 * Providers poll and do not watch (lab/faults.test.ts).
 */
const UNMET = ["kubeadm.bootstrap-failed", "kubeadm.init-failed", "kubernetes.watch-cut"];

const answerSchema = z.object({ unmet: z.array(z.string()), rehearsed: z.array(z.looseObject({ fault: z.string(), verdict: z.string(), why: z.string() })) });

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = new Rehearsal();
  if (SMALL === "") return;
  fs.rmSync(rehearsal.secretsDir, { recursive: true });
  removeHomelab(rehearsal.checkout);
  const { code, stderr } = await rehearsal.start(["init", "--yes", ...SITE], { env: { HOMELAB_SECRETS_DIR: "" } }).done;
  expect([code, stderr]).toEqual([0, ""]);
}, 120_000);
afterAll(() => rehearsal.close(), 60_000);

test("each fault takes effect in a build, and none reveals a bug", async () => {
  const env = SMALL === "" ? {} : { HOMELAB_SECRETS_DIR: "" };
  const { code, stdout, stderr } = await rehearsal.start(["rehearse", "--faults", FAULTS, "--seed", SEED, "--json"], { env }).done;
  expect([stderr, stdout === ""]).toEqual(["", false]);
  const { rehearsed, unmet } = answerSchema.parse(JSON.parse(stdout));
  if (ASKED !== "")
    process.stderr.write(`${rehearsed.map(({ fault, verdict, why, seconds }) => `${fault}: ${verdict} (${String(seconds)} s): ${why}`).join("\n")}\n`);
  expect(rehearsed.filter(({ verdict }) => verdict !== "survived" && verdict !== "failed clearly")).toEqual([]);
  expect(unmet).toEqual(FAULTS === "all" ? UNMET : []);
  expect([code, rehearsed.length > 0]).toEqual([0, true]);
}, 14_400_000);
