/**
 * An application goes from the program to Argo CD and back, in the smallest homelab that has an Argo CD. The tests are one story and run in
 * order. What Argo CD itself makes of the files is in tests/program/deliveries.test.ts; here Git is empty, so that who deletes what is seen.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { removeHomelab } from "../support/homelab";
import { Rehearsal } from "../support/rehearsal";

jest.setTimeout(300_000);

const SITE = ["--domain", "example.org", "--network", "10.20.0.0/24", "--node", "pve=10.20.0.2", "--stacks", "tools,dev", "--user", "ops"];
const ARGO_CD = '"argo-cd": { applications: { repository: "https://git.example.org/homelab.git" } }';
/** The lab has values of its own for them. */
const ARGO_CD_SECRETS = [
  ["new", "ARGOCD_SERVER_SECRET_KEY"],
  ["set", "ADMIN_PASSWORD_BCRYPT"],
  ["set", "ARGOCD_REDIS_PASSWORD"],
] as const;

let rehearsal: Rehearsal;
/** Without a folder of secrets by the environment: the lab makes its own. */
const env = { HOMELAB_SECRETS_DIR: "" };
const homelab = (...args: string[]) => rehearsal.start(args, { env }).done;

async function succeed(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await homelab(...args);
  expect([args, code, code === 0 ? "" : stderr + stdout]).toEqual([args, 0, ""]);
  return stdout;
}

function edit(change: (text: string) => string): void {
  const file = path.join(rehearsal.checkout, "site", "stacks.ts");
  const [before, after] = [fs.readFileSync(file, "utf8"), change(fs.readFileSync(file, "utf8"))];
  if (before === after) throw new Error(`${file} has nothing to change`);
  fs.writeFileSync(file, after);
}

/** As an operator changes it. */
const deliver = (delivery: string): void =>
  edit((text) => text.replace(/whoami: .*whoami\("dev\.whoami"\).*,? \}/, `whoami: { ...whoami("dev.whoami"), delivery: "${delivery}" } }`));

const uidOf = z.object({ metadata: z.object({ uid: z.string() }) });
const deployment = () => rehearsal.kubernetes("dev", "/apis/apps/v1/namespaces/whoami/deployments/whoami");
const uid = async (): Promise<string> => uidOf.parse((await deployment()).body).metadata.uid;

/** As Argo CD marks what it applies. */
async function mark(application: string): Promise<void> {
  const { body } = await deployment();
  const object = z.looseObject({ metadata: z.looseObject({ annotations: z.record(z.string(), z.string()).default({}) }) }).parse(body);
  object.metadata.annotations["argocd.argoproj.io/tracking-id"] = `${application}:apps/Deployment:whoami/whoami`;
  expect((await rehearsal.kubernetes("dev", "/apis/apps/v1/namespaces/whoami/deployments/whoami", { method: "PUT", body: object })).status).toBe(200);
}

let running: string;

beforeAll(async () => {
  rehearsal = new Rehearsal();
  fs.rmSync(rehearsal.secretsDir, { recursive: true });
  removeHomelab(rehearsal.checkout);
  await succeed("init", "--yes", ...SITE);
  const SOPS_AGE_KEY_FILE = path.join(rehearsal.dir, "home", ".config", "homelab", "example.org.agekey");
  for (const [verb, key] of ARGO_CD_SECRETS) {
    const { code, stderr } = await rehearsal.start(["secrets", verb, "cluster-secret-store/secrets/ARGOCD", key], {
      env: { ...env, SOPS_AGE_KEY_FILE },
      input: "x".repeat(32),
    }).done;
    expect([code, code === 0 ? "" : stderr]).toEqual([0, ""]);
  }
  edit((text) => text.replace(/platform: cluster,/, `platform: { ...cluster, ${ARGO_CD} },`));
  await succeed("lab", "start", "--latency", "zero", "--proxy-port", "0", "--bastion-port", "0", "--control-port", "0");
  rehearsal.attach();
  await succeed("up", "--lab");
  running = await uid();
}, 300_000);
afterAll(async () => {
  await homelab("lab", "stop");
  await rehearsal.close();
});

test("in one step it is refused, by a preview too, and nothing is changed", async () => {
  deliver("argo-cd");
  const before = await rehearsal.lastSeq();
  for (const command of ["preview", "up"]) {
    const { code, stdout, stderr } = await homelab(command, "dev", "--lab");
    expect([code, stdout + stderr]).toEqual([1, expect.stringMatching(/✘ dev: dev: Argo CD is to deliver whoami, and the program would delete /)]);
    expect(stdout + stderr).toContain('set `delivery: "hand-over"` and run `homelab up dev`');
  }
  expect(await rehearsal.writes(before)).toEqual([]);
  expect(await uid()).toBe(running);
});

test("by way of hand-over what runs goes on running, and is no longer the program's", async () => {
  deliver("hand-over");
  await succeed("up", "dev", "--lab");
  deliver("argo-cd");
  await succeed("up", "dev", "--lab");
  expect(await uid()).toBe(running);
  expect(await succeed("preview", "dev", "--lab")).toMatch(/\[dev\] succeeded in .*: no changes/);
});

test("the way back is refused while Argo CD has an Application of it", async () => {
  deliver("pulumi");
  const applications = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications";
  // Without a policy: it is there, and does nothing.
  const spec = {
    project: "default",
    source: { repoURL: "https://git.example.org/homelab.git", path: "whoami" },
    destination: { namespace: "whoami", name: "in-cluster" },
  };
  const body = { apiVersion: "argoproj.io/v1alpha1", kind: "Application", metadata: { name: "whoami-dev", namespace: "argocd" }, spec };
  expect((await rehearsal.kubernetes("dev", applications, { method: "POST", body })).status).toBe(201);
  const { code, stdout, stderr } = await homelab("up", "dev", "--lab");
  expect([code, stdout + stderr]).toEqual([1, expect.stringContaining("dev: the program is to deliver whoami, and Argo CD still does, by whoami-dev")]);
  expect((await rehearsal.kubernetes("dev", `${applications}/whoami-dev`, { method: "DELETE" })).status).toBe(200);
  await rehearsal.settle();
});

test("and so it is while somebody's own Application has its objects", async () => {
  const applications = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications";
  const spec = {
    project: "default",
    source: { repoURL: "https://git.example.org/homelab.git", path: "whoami" },
    destination: { namespace: "whoami", name: "in-cluster" },
  };
  const body = { apiVersion: "argoproj.io/v1alpha1", kind: "Application", metadata: { name: "mine", namespace: "argocd" }, spec };
  expect((await rehearsal.kubernetes("dev", applications, { method: "POST", body })).status).toBe(201);
  await mark("mine");
  for (const command of ["preview", "up"]) {
    const { code, stdout, stderr } = await homelab(command, "dev", "--lab");
    expect([code, stdout + stderr]).toEqual([1, expect.stringContaining("dev: the program is to deliver whoami, and Argo CD still does, by mine")]);
  }
  expect((await rehearsal.kubernetes("dev", `${applications}/mine`, { method: "DELETE" })).status).toBe(200);
  await rehearsal.settle();
});

test("and back: the program has it again, and it is the same object", async () => {
  // The program had forgotten it: it is a creation.
  expect(await succeed("up", "dev", "--lab")).toMatch(/\[dev\] succeeded in .*: [1-9]\d* created/);
  expect(await uid()).toBe(running);
});

test("every call was one that the lab models", async () => {
  expect(await rehearsal.unhandled()).toEqual([]);
});
