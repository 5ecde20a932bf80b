/**
 * Faults injected into builds: none is a bug, and each strikes. HOMELAB_TEST_FAULTS=all (make nightly) or names of faults: into this
 * repository's homelab of the tests; else two of them into the smallest homelab that `homelab init` writes. HOMELAB_TEST_SEED says
 * where they strike.
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
 * What no build of the homelab of the tests meets, and what holds it: it has no cluster by kubeadm (tests/roles/kubeadm-in-lab.test.ts);
 * providers look again and watch nothing (lab/faults.test.ts); only a state backend asks S3 (tests/backends/s3.test.ts).
 */
const UNMET = ["kubeadm.bootstrap-failed", "kubeadm.init-failed", "kubernetes.watch-cut", "s3.clock-skew", "s3.write-refused"];

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

test("faults strike builds, and none is a bug", async () => {
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
