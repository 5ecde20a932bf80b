/**
 * The disaster: first bare hosts, then lost states. The results are judged by what the outside world saw. The tests depend on each other
 * and run in order.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { loadSecrets } from "../../secrets/load";
import { Rehearsal } from "../support/rehearsal";

const LAB_KEY = path.join(__dirname, "..", "..", "secrets", "lab-only.agekey");
const BUCKET = "s3://pulumi-state/homelab?endpoint=https://s3.fullstack.pw&region=main&s3ForcePathStyle=true";
const MINUTE = 60_000;
/** Modules that are left out. Certificates, names, Vault, and MinIO with the bucket remain: a rebuild needs only these. */
const WITHOUT = [
  ...["valkey", "nats", "cloudnative-pg", "postgres", "state-backup", "harbor", "github-runners", "gitlab-runner", "box", "teleport-agent"],
  ...["kube-prometheus-stack", "loki", "jaeger", "otel-collector"],
];

// Builds two stacks twice, which takes long on a busy machine.
jest.setTimeout(40 * MINUTE);

let rehearsal: Rehearsal;
let keys: Record<string, string>;
beforeAll(async () => {
  rehearsal = new Rehearsal({ stacks: ["tools", "observability"], without: WITHOUT });
  await rehearsal.startLab();
  const entry = "cluster-secret-store/secrets/MINIO";
  const secrets = (await loadSecrets({ only: [entry], ageKeyFile: LAB_KEY, root: rehearsal.secretsDir })).get(entry);
  keys = { AWS_ACCESS_KEY_ID: secrets?.["rootUser"] ?? "", AWS_SECRET_ACCESS_KEY: secrets?.["rootPassword"] ?? "" };
}, 2 * MINUTE);
afterAll(() => rehearsal.close(), MINUTE);

const homelab = (...args: string[]) => rehearsal.start([...args, "--lab"], { env: keys }).done;
const machines = async (): Promise<string[]> => (await rehearsal.machines()).map(({ config }) => config["name"] ?? "").toSorted();
const VMS = ["boot-server", "dns", "haproxy", "k8s-observability", "k8s-tools", "teleport"];

/** Creations in Proxmox that must happen only once. */
const made = async (since: number): Promise<string[]> =>
  (await rehearsal.writes(since)).flatMap(({ system, target, action }) =>
    system === "proxmox" && /^(clone|download|create|storage-create|bridge-create)/.test(action) ? [`${action} ${target}`] : [],
  );

test("a bucket in the homelab that is not built yet: credentials are asked for before anything is made", async () => {
  const { code, stderr } = await rehearsal.homelab("rebuild", "--lab", "--to", BUCKET);
  expect([code, stderr]).toEqual([2, expect.stringMatching(/^error: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set/)]);
  expect(await rehearsal.writes()).toEqual([]);
});

test("the stack that serves the states is built first, the states move there, the others follow", async () => {
  const { code, stdout, stderr } = await homelab("rebuild", "--to", BUCKET);
  expect([code, code === 0 ? "" : stdout + stderr]).toEqual([0, ""]);
  expect(stdout.split("\n").filter((line) => / of 3: /.test(line))).toEqual([
    expect.stringMatching(/^1 of 3: tools, with states in file:\/\/.*rebuild-states$/),
    `2 of 3: the states move to ${BUCKET}`,
    `3 of 3: observability, with states in ${BUCKET}`,
  ]);
  expect(await machines()).toEqual(VMS);
  const inBucket = (await rehearsal.writes()).filter(({ system, action }) => system === "s3" && action.includes("homelab/.pulumi/stacks/homelab/"));
  for (const stack of ["tools", "observability"]) expect(inBucket.some(({ action }) => action.includes(`/${stack}.json`))).toBe(true);
});

test("each command goes there since: nothing is to be changed; a second rebuild is refused, since nothing is lost", async () => {
  await rehearsal.settle();
  const before = await rehearsal.lastSeq();
  const up = await homelab("up");
  expect([up.code, up.stdout.match(/: no changes/g)?.length]).toEqual([0, 2]);
  expect((await rehearsal.writes(before)).filter(({ system }) => system !== "s3")).toEqual([]);
  const again = await homelab("rebuild");
  expect([again.code, again.stderr]).toEqual([1, expect.stringMatching(/^error: the states of (tools, observability|observability, tools) are in s3:/)]);
});

test("states that are lost are made anew from what exists: nothing is made twice, and nothing of another's is touched", async () => {
  fs.writeFileSync(path.join(rehearsal.dir, "backend-url"), `file://${rehearsal.dir}/new-states\n`);
  fs.mkdirSync(path.join(rehearsal.dir, "new-states"));
  const before = await rehearsal.lastSeq();
  const { code, stdout, stderr } = await homelab("rebuild", "--existing");
  expect([code, code === 0 ? "" : stdout + stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/is there already, as .*: it is taken into the state/);
  expect(await made(before)).toEqual([]);
  expect(await machines()).toEqual(VMS);
  await rehearsal.settle();
  const settled = await rehearsal.lastSeq();
  const up = await homelab("up");
  expect([up.code, up.stdout.match(/: no changes/g)?.length, up.code === 0 ? "" : up.stdout]).toEqual([0, 2, ""]);
  expect(await rehearsal.writes(settled)).toEqual([]);
  expect(await rehearsal.unhandled()).toEqual([]);
});
