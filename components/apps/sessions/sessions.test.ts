import { execFileSync, spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { chartFolder } from "../../../tests/support/chart-data";
import { kindSchema, objectComplaints } from "../../../tests/support/crd-schema";
import { GOLDEN, SESSION } from "../../../tests/support/session-options";
import { testWhere } from "../../../tests/support/skips";
import { objectViolations } from "../../rules/rules";
import { CILIUM, controlPlaneConfig, workerConfig } from "./cloud-config";
import { buildConfig, goldenImageManifests, goldenImageScript, testConfig } from "./golden-image";
import { REAPER_SCRIPT, reaperManifests, sessionManifests } from "./session-manifests";
import type { SessionOptions } from "./session-spec";

const FREE = { running: 0, limit: 10 };
const objects = sessionManifests(SESSION, FREE) as unknown as (Record<string, never> & {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
})[];
const find = (kind: string, name?: string) => objects.find((object) => object.kind === kind && (name === undefined || object.metadata.name === name));

test("a session is a closed namespace with a quota, two machines cloned from the golden image, and the name of the control plane", () => {
  expect(objects.map(({ apiVersion, kind, metadata }) => `${apiVersion} ${kind} ${metadata.name}`)).toEqual([
    "v1 Namespace session-a1",
    "v1 ResourceQuota session",
    "networking.k8s.io/v1 NetworkPolicy session",
    "networking.k8s.io/v1 NetworkPolicy clone",
    "v1 Service control-plane",
    "v1 Secret control-plane-user-data",
    "v1 Secret worker-user-data",
    "cdi.kubevirt.io/v1beta1 DataVolume control-plane-disk",
    "cdi.kubevirt.io/v1beta1 DataVolume worker-disk",
    "kubevirt.io/v1 VirtualMachine control-plane",
    "kubevirt.io/v1 VirtualMachine worker",
  ]);
  expect(objects.slice(1).map(({ metadata }) => metadata.namespace)).toEqual(Array.from({ length: 10 }, () => "session-a1"));
  expect(find("Namespace")).toMatchObject({ metadata: { labels: { "cks.homelab/session": "a1" }, annotations: { "cks.homelab/expires": "1796040000" } } });
  expect(find("ResourceQuota")).toMatchObject({
    spec: { hard: { "requests.cpu": "5000m", "requests.memory": "5120Mi", "requests.storage": "43575Mi", "count/virtualmachines.kubevirt.io": "2" } },
  });
  expect(find("VirtualMachine", "worker")).toMatchObject({
    spec: {
      runStrategy: "RerunOnFailure",
      template: { spec: { volumes: [{ dataVolume: { name: "worker-disk" } }, { cloudInitNoCloud: { secretRef: { name: "worker-user-data" } } }] } },
    },
  });
});

test("a disk is its maker's to clone, by a way for CDI's pods alone; what a clone takes for a while is in the quota", () => {
  expect(find("DataVolume", "worker-disk")).toMatchObject({ spec: { source: { pvc: { namespace: "vm-templates", name: "golden-1-33-0" } } } });
  // With templates of the machine, the session's own account would need a right to the golden image.
  expect(JSON.stringify(find("VirtualMachine", "worker"))).not.toContain("dataVolumeTemplates");
  expect(find("NetworkPolicy", "clone")).toMatchObject({
    spec: {
      podSelector: { matchLabels: { "cdi.kubevirt.io": "cdi-upload-server" } },
      // With `Egress` here, the pod could send nothing, because the policy has no egress rule.
      policyTypes: ["Ingress"],
      ingress: [{ from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "vm-templates" } } }], ports: [{ port: 8443 }] }],
    },
  });
  const { hard } = (find("ResourceQuota") as unknown as { spec: { hard: Record<string, string> } }).spec;
  // A disk of 10Gi on a file system is one of 10Gi / 0.94, and there are two of each while it is cloned.
  expect(Number.parseInt(hard["requests.storage"] ?? "", 10)).toBeGreaterThanOrEqual(2 * 2 * (10 / 0.94) * 1024);
});

test("a session reaches itself, names and the internet, and no address of the homelab or of another session", () => {
  const { ingress, egress } = (
    find("NetworkPolicy", "session") as unknown as { spec: { ingress: object[]; egress: { to: { ipBlock?: { except: string[] } }[] }[] } }
  ).spec;
  expect(ingress).toEqual([{ from: [{ podSelector: {} }] }]);
  const blocks = egress.flatMap(({ to }) => to.flatMap(({ ipBlock }) => ipBlock ?? []));
  expect(blocks).toEqual([expect.objectContaining({ except: expect.arrayContaining(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]) })]);
});

interface Config {
  write_files: { path: string; content: string; permissions: string }[];
  runcmd: [string, string, string][];
  ssh_pwauth: boolean;
}

test.each([
  ["control plane", controlPlaneConfig],
  ["worker", workerConfig],
])("the %s: a document of cloud-init without a variable that is left, whose token is nowhere but in the file that is deleted", (_, configOf) => {
  const text = configOf({ ...SESSION, namespace: "session-a1" });
  expect(text.startsWith("#cloud-config\n")).toBe(true);
  expect(text).not.toMatch(/\$\{[A-Z_]+\}|\{\{/);
  const { write_files, runcmd, ssh_pwauth } = parse(text) as Config;
  expect(ssh_pwauth).toBe(false);
  expect(write_files.map(({ path: file, permissions }) => [file, permissions])).toEqual([["/root/kubeadm.yaml", "0600"]]);
  expect(text.split(SESSION.joinToken).length - 1).toBe(1);
  const [[shell, option, script]] = runcmd as [[string, string, string]];
  expect([shell, option]).toEqual(["sh", "-c"]);
  expect(script.split("\n").slice(-2)).toEqual([
    "rm -f /root/kubeadm.yaml",
    expect.stringMatching(/^find \/var\/lib\/cloud\/instances .*'user-data\*'.* -delete$/),
  ]);
  expect(parseAllDocuments(write_files[0]?.content ?? "").map((document) => document.errors)).toEqual(expect.arrayContaining([[]]));
  execFileSync("sh", ["-n"], { input: script });
});

test("the control plane's token holds for half an hour, and Cilium is its pinned chart", () => {
  const { write_files, runcmd } = parse(controlPlaneConfig({ ...SESSION, namespace: "session-a1" })) as Config;
  const [init, cluster] = parseAllDocuments(write_files[0]?.content ?? "").map((document) => document.toJSON());
  expect(init).toMatchObject({ kind: "InitConfiguration", bootstrapTokens: [{ token: SESSION.joinToken, ttl: "30m0s" }] });
  expect(cluster).toMatchObject({
    kubernetesVersion: "v1.33.0",
    controlPlaneEndpoint: "control-plane.session-a1.svc:6443",
    networking: { podSubnet: "10.0.0.0/16" },
  });
  expect(runcmd[0]?.[2]).toContain(`--repo ${CILIUM.repository} --version ${CILIUM.version} `);
});

test.each<[string, Partial<SessionOptions>, string]>([
  ["one processor", { cpuCores: 1 }, "cpuCores: must be at least 2"],
  ["a token that is none", { joinToken: "abc" }, "joinToken: must be a token of kubeadm"],
  ["a key of several lines", { sshPublicKey: "ssh-ed25519 AAAA\nroot" }, "sshPublicKey: must be an OpenSSH public key"],
  ["a name for a shell", { id: "a; rm" }, "id: must be a name"],
  ["a network that is none", { podCidr: "10.0.0.0" }, "podCidr: must be a network"],
  ["no memory", { memory: "0Mi" }, "memory: must be an amount"],
  ["less memory than kubeadm takes", { memory: "1024Mi" }, "memory: must be at least 1792Mi: kubeadm refuses less"],
  ["more memory than a number holds", { memory: "99999999999999999999Gi" }, "memory: must be an amount"],
  ["more memory than a host has", { memory: "999999Gi" }, "memory: must be at most 64Gi"],
  ["no disk", { diskSize: "0Gi" }, "diskSize: must be an amount"],
  ["a disk that the image does not fit on", { diskSize: "2Gi" }, "diskSize: must be at least 4096Mi"],
  ["a network of pods for one node", { podCidr: "10.244.0.0/24" }, "podCidr: must have a prefix of /8 to /23: each node gets a /24 of it"],
  ["all networks", { podCidr: "0.0.0.0/0" }, "podCidr: must have a prefix of /8 to /23"],
  ["the network of Services", { podCidr: "10.100.0.0/16" }, "the range of pods 10.100.0.0/16 overlaps the range of Services 10.96.0.0/12"],
  ["a network with bits after its prefix", { podCidr: "10.244.0.1/16" }, '"10.244.0.1/16" has bits after its prefix'],
  ["a key with a control character", { sshPublicKey: "ssh-ed25519 AAAA a\u0007b" }, "sshPublicKey: must be an OpenSSH public key"],
  ["the golden image of another version", { goldenImage: { namespace: "vm-templates", name: "golden-1-32-0" } }, "golden-1-32-0 is of another version"],
  ["no time", { expires: "tomorrow" }, "expires: must be a time"],
  ["no golden image", { goldenImage: { namespace: "vm-templates", name: "" } }, "goldenImage.name: must be a name"],
])("a session is refused with %s", (_, change, message) => {
  expect(() => sessionManifests({ ...SESSION, ...change }, FREE)).toThrow(message);
});

test("a session over the limit is refused", () => {
  expect(() => sessionManifests(SESSION, { running: 10, limit: 10 })).toThrow("there are 10 sessions, and no more than 10 at a time");
});

test("the reaper is bound to sessions' namespaces before it has a right to delete any", () => {
  const kinds = reaperManifests("cks").map(({ kind }) => kind);
  expect(kinds.slice(0, 2)).toEqual(["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"]);
  expect(kinds.indexOf("ClusterRoleBinding")).toBeGreaterThan(1);
  // tests/real/session-reaper.real.test.ts tries it on a real API server.
  expect(reaperManifests("cks")[0]).toMatchObject({
    spec: { failurePolicy: "Fail", matchConditions: [{ expression: "request.userInfo.username == 'system:serviceaccount:cks:session-reaper'" }] },
  });
});

test("the reaper's own account may find and delete namespaces, and nothing else", () => {
  const of = (kind: string) => reaperManifests("cks").find((object) => object.kind === kind);
  expect(of("ClusterRole")).toMatchObject({
    metadata: { name: "session-reaper" },
    rules: [{ apiGroups: [""], resources: ["namespaces"], verbs: ["get", "list", "delete"] }],
  });
  expect(of("ClusterRoleBinding")).toMatchObject({
    metadata: { name: "session-reaper" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "session-reaper" },
    subjects: [{ kind: "ServiceAccount", name: "session-reaper", namespace: "cks" }],
  });
  expect(of("ServiceAccount")).toMatchObject({ metadata: { name: "session-reaper", namespace: "cks" } });
  expect(of("CronJob")).toMatchObject({ spec: { jobTemplate: { spec: { template: { spec: { serviceAccountName: "session-reaper" } } } } } });
  expect(reaperManifests("cks").map(({ metadata: { labels } }) => labels)).toEqual(
    Array.from({ length: 6 }, () => ({ "app.kubernetes.io/name": "session-reaper" })),
  );
});

test("the reaper keeps to the rules for all workloads", () => {
  expect(reaperManifests("cks").flatMap((object) => objectViolations(object as never))).toEqual([]);
});

test("the reaper takes sessions whose time is over, and leaves those that go on or have no time", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-reaper-"));
  try {
    const now = Math.floor(Date.now() / 1000);
    const listed = [`session-over ${now - 60}`, `session-on ${now + 600}`, "session-odd soon", "session-none "].join("\n");
    fs.writeFileSync(path.join(folder, "kubectl"), `#!/bin/sh\n[ "$1" = get ] && cat <<'EOF'\n${listed}\nEOF\n[ "$1" = delete ] && echo "$@"\nexit 0\n`, {
      mode: 0o755,
    });
    const env = { PATH: `${folder}:${process.env["PATH"]}` };
    expect(execFileSync("sh", ["-c", REAPER_SCRIPT], { env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })).toBe(
      "delete namespace session-over --wait=false\n",
    );
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

const withCharts = testWhere(chartFolder() !== undefined, "the charts' data is not beside the checkout");
withCharts("machines and their disks satisfy the definitions of KubeVirt and CDI", () => {
  const built = ["build.yaml", "test.yaml", "publish.yaml"].flatMap(stepOf).filter(({ kind }) => kind !== "Secret");
  for (const object of [find("VirtualMachine", "worker"), find("DataVolume", "worker-disk"), ...built] as never as { apiVersion: string; kind: string }[]) {
    const found = kindSchema(object.apiVersion, object.kind);
    expect(found).toBeDefined();
    if (found !== undefined) expect(objectComplaints(object as never, found.schema)).toEqual([]);
  }
});

interface Named {
  kind: string;
  metadata: { name: string; labels?: Record<string, string> };
}
const pipeline = goldenImageManifests(GOLDEN) as (Named & { data?: Record<string, string> })[];
const stepOf = (name: string) =>
  parseAllDocuments(pipeline.find(({ kind }) => kind === "ConfigMap")?.data?.[name] ?? "").map((document) => document.toJSON() as Named & { spec: never });

test("the golden image is built on a disk of its own, tested on a copy, and published as what sessions clone", () => {
  expect(pipeline.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
    "ServiceAccount golden-image",
    "Role golden-image",
    "RoleBinding golden-image",
    "ConfigMap golden-image",
    "Job golden-1-33-0",
  ]);
  const names = (file: string) => stepOf(file).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  expect([names("build.yaml"), names("test.yaml"), names("publish.yaml")]).toEqual([
    ["DataVolume golden-image-build", "Secret golden-image-build", "VirtualMachineInstance golden-image-build"],
    ["DataVolume golden-image-test", "Secret golden-image-test", "VirtualMachineInstance golden-image-test"],
    ["DataVolume golden-1-33-0"],
  ]);
  const source = (file: string) => (stepOf(file)[0]?.spec as { source: object } | undefined)?.source;
  expect(source("build.yaml")).toEqual({ http: { url: GOLDEN.base.url, checksum: `sha512:${GOLDEN.base.sha512}` } });
  for (const file of ["test.yaml", "publish.yaml"]) expect(source(file)).toEqual({ pvc: { namespace: "vm-templates", name: "golden-image-build" } });
  expect(`golden-${SESSION.kubernetesVersion.replaceAll(".", "-")}`).toBe(SESSION.goldenImage.name);
  expect(pipeline.flatMap((object) => objectViolations(object as never))).toEqual([]);
});

/** A kubectl that records its arguments. @param phase of the published disk. @param fails, hangs an argument at which it does so */
function withKubectl<T>({ phase = "", fails = "nothing", hangs = "nothing" }, run: (env: NodeJS.ProcessEnv, asked: () => string[]) => T): T {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-golden-"));
  const at = (argument: string, then: string): string => `*${JSON.stringify(argument)}*) ${then} ;;`;
  const cases = [at("get datavolume/", `printf %s ${JSON.stringify(phase)}`), at(fails, "exit 1"), at(hangs, "exec sleep 60")];
  fs.writeFileSync(path.join(folder, "kubectl"), `#!/bin/sh\nprintf '%s\\n' "$*" >> "${folder}/asked"\ncase "$*" in ${cases.join(" ")} esac\n`, {
    mode: 0o755,
  });
  return run({ PATH: `${folder}:${process.env["PATH"]}` }, () =>
    fs
      .readFileSync(path.join(folder, "asked"), { encoding: "utf8", flag: "a+" })
      .trim()
      .replaceAll("--namespace vm-templates ", "")
      .replace(/ --timeout.*/gm, "")
      .split("\n"),
  );
}
const runPipeline = (what: { phase?: string; fails?: string }): { status: number | null; asked: string[] } =>
  withKubectl(what, (env, asked) => ({ status: spawnSync("sh", ["-c", goldenImageScript(GOLDEN)], { env, stdio: "ignore" }).status, asked: asked() }));
const FOUND = "get datavolume/golden-1-33-0 --ignore-not-found --output=jsonpath={.status.phase}";
const CLEANED = "delete vmi,datavolume,secret --selector app.kubernetes.io/name=golden-image --ignore-not-found";
const UNFINISHED = "delete datavolume/golden-1-33-0 --ignore-not-found";

test("the Job publishes after the test has ended well, and what was built is deleted however it ends", () => {
  const { status, asked } = runPipeline({});
  expect(status).toBe(0);
  expect(asked).toEqual([
    ...[FOUND, UNFINISHED, CLEANED],
    "apply -f /manifests/build.yaml",
    "wait datavolume/golden-image-build --for=jsonpath={.status.phase}=Succeeded",
    "wait vmi/golden-image-build --for=jsonpath={.status.phase}=Succeeded",
    "apply -f /manifests/test.yaml",
    "wait datavolume/golden-image-test --for=jsonpath={.status.phase}=Succeeded",
    "wait vmi/golden-image-test --for=jsonpath={.status.phase}=Succeeded",
    "apply -f /manifests/publish.yaml",
    "wait datavolume/golden-1-33-0 --for=jsonpath={.status.phase}=Succeeded",
    CLEANED,
  ]);
  const failed = runPipeline({ fails: "vmi/golden-image-test" });
  expect([failed.status, failed.asked.some((line) => line.includes("publish")), failed.asked.slice(-2)]).toEqual([1, false, [UNFINISHED, CLEANED]]);
  // Another run of the same version changes nothing. A copy that an earlier run did not finish does not count.
  expect(runPipeline({ phase: "Succeeded" })).toEqual({ status: 0, asked: [FOUND] });
  expect(runPipeline({ phase: "CloneInProgress" })).toEqual({ status, asked });
  expect(runPipeline({ fails: "wait datavolume/golden-1-33-0" }).asked.slice(-2)).toEqual([UNFINISHED, CLEANED]);
});

test("told to end while it waits, the Job deletes what it made, and does not wait for its machine first", async () => {
  const { code, asked } = await withKubectl({ hangs: "wait vmi/golden-image-build" }, async (env, asked) => {
    const child = spawn("sh", ["-c", goldenImageScript(GOLDEN)], { env, stdio: "ignore", detached: true });
    const ended = new Promise<number | null>((resolve) => child.on("exit", resolve));
    while (!asked().at(-1)?.startsWith("wait vmi/")) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill("SIGTERM");
    const code = await ended;
    // In a container the `kubectl wait` would end with it.
    process.kill(-Number(child.pid), "SIGKILL");
    return { code, asked: asked() };
  });
  expect([code, asked.slice(-3)]).toEqual([143, ["wait vmi/golden-image-build --for=jsonpath={.status.phase}=Succeeded", UNFINISHED, CLEANED]]);
  const job = pipeline.find(({ kind }) => kind === "Job");
  expect(job).toMatchObject({
    spec: {
      // The sum of its waits: for three disks, for the machine that builds and for the one that tests.
      activeDeadlineSeconds: (3 * 20 + 30 + 10) * 60,
      template: { metadata: { labels: { "app.kubernetes.io/name": "golden-image" } }, spec: { terminationGracePeriodSeconds: 180 } },
    },
  });
});

test("its machines turn themselves off as the last thing, so that one that failed is waited for in vain; nobody can enter them", () => {
  for (const config of [buildConfig(GOLDEN), testConfig(GOLDEN)]) {
    const { runcmd, ...rest } = parse(config) as Config & { users: unknown[] };
    const script = runcmd[0]?.[2].split("\n") ?? [];
    expect([script[0], script.at(-1), script.filter((line) => line === "poweroff").length]).toEqual(["set -eu", "poweroff", 1]);
    expect([rest.users, rest.ssh_pwauth]).toEqual([undefined, false]);
  }
  expect(parse(buildConfig(GOLDEN)).write_files[0].content).toContain("kubeadm=1.33.0-");
});

test.each<[string, () => unknown, string]>([
  ["a version that is none", () => goldenImageManifests({ ...GOLDEN, kubernetesVersion: "1.33" }), "kubernetesVersion: must be a version"],
  ["a base without TLS", () => goldenImageManifests({ ...GOLDEN, base: { ...GOLDEN.base, url: "http://a/b" } }), "base.url: must be an address with https"],
  ["no checksum", () => goldenImageManifests({ ...GOLDEN, helm: { url: GOLDEN.helm.url, sha256: "" } }), "helm.sha256: must be a SHA-256"],
  [
    "a variable of envsubst that is left over",
    () => controlPlaneConfig(left(`$${"{USER_NAME}"}`)),
    `the SSH key has $${"{USER_NAME}"}, which nothing fills in`,
  ],
  ["one of Helm", () => workerConfig(left("{{ .Values.name }}")), "the SSH key has {{ .Values.name }}, which nothing fills in"],
  ["one of a plan", () => controlPlaneConfig(left("<output of tools>")), "the SSH key has <output of tools>, which nothing fills in"],
  ["a value that is not there", () => controlPlaneConfig({ ...left("a"), podCidr: undefined as never }), "its script has undefined, which nothing fills in"],
])("%s is refused", (_, make, says) => {
  expect(make).toThrow(says);
});
function left(comment: string) {
  return { ...SESSION, namespace: "session-a1", sshPublicKey: `ssh-ed25519 AAAA ${comment}` };
}
