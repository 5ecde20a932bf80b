/** The program contains nothing of one homelab: with the data of another one, it plans and builds that. */
import * as pulumi from "@pulumi/pulumi";
import { newAuthority } from "../../common/authority";
import type { BuildContext, Upstream } from "../../stacks/build/context";
import { createSecretReader } from "../../stacks/build/secret-reader";
import { buildStack } from "../../stacks/build/stack";
import { outputSchemas } from "../../stacks/outputs/schemas";
import { stackOutputs } from "../../stacks/outputs/stack-outputs";
import type { PlannedRole } from "../../stacks/plan/hosts/planned-role";
import { planEstate, type StackPlan } from "../../stacks/plan/plan";
import { ANOTHER_SITE, anotherEstate } from "../support/another-site";
import { K3S_KUBECONFIG, mockEngine, only, settle } from "../support/pulumi-mocks";

const DNS = '  homelab:dns: {upstreams: ["9.9.9.9"]}\n';
const estate = anotherEstate(ANOTHER_SITE, DNS);
const plans = planEstate(estate);
const planOf = (name: string): StackPlan => {
  const plan = plans.get(name);
  if (plan === undefined) throw new Error(name);
  return plan;
};

const entries = new Map(
  ["PROXMOX_TOKEN_ID", "PROXMOX_SECRET", "SSH_PRIVATE_KEY"]
    .map((name): [string, Record<string, string>] => [`cluster-secret-store/secrets/${name}`, { [name]: "x" }])
    .concat([
      ["cloudflare", { "api-token": "x" }],
      ["cluster-secret-store/secrets/EXTERNAL_DNS_PIHOLE_PASSWORD", { PIHOLE_PASSWORD: "x" }],
    ]),
);
const upstream: Upstream = {
  templateIds: () => pulumi.output<Record<string, number>>({ pve: 9000 }),
  vault: () => ({
    address: pulumi.output("https://safe.example.org"),
    id: pulumi.output("v"),
    tokens: pulumi.output<Record<string, string>>({ play: "hvs.play" }),
  }),
  text: (reference) => pulumi.output("image" in reference ? reference.image : reference.output),
};

const built = (name: string) => builtOf(planOf(name));

async function builtOf(plan: StackPlan, files: Record<string, string> = {}) {
  const { name } = plan.stack;
  const registered = await mockEngine({ stack: name, files });
  const secrets = createSecretReader({ stack: name, entries, common: entries, own: new Set() });
  const context: BuildContext = { plan, secrets, bastion: undefined, checkout: "/checkout", upstream };
  const outputs = stackOutputs(plan, buildStack(context));
  const values = await new Promise<Record<string, unknown>>((resolve) => {
    pulumi.output(outputs).apply((plain) => resolve(plain));
  });
  await settle(registered);
  return { registered, values };
}

test("its stacks are planned, each by what stands in its row", () => {
  expect([...plans.keys()]).toEqual(["core", "play"]);
  expect(planOf("core")).toMatchObject({ clusterVm: "main", templatesOf: "core", vaultOf: "core", hostNames: ["safe.example.org"], secrets: "all" });
  expect(planOf("core").grants.map(({ stack, writesCommon }) => [stack, writesCommon])).toEqual([
    ["core", true],
    ["play", false],
  ]);
  expect(planOf("play")).toMatchObject({
    clusterVm: "toy",
    templatesOf: "core",
    vaultOf: "core",
    hostNames: ["hello.example.org"],
    nodes: undefined,
    grants: [],
  });
  expect([...planOf("core").roles].map(([vm, roles]) => [vm, roles.map(({ role }) => role.name)])).toEqual([
    ["names", ["dns"]],
    ["main", ["k3s-node"]],
  ]);
});

test("the stack that all others use is built under its own names", async () => {
  const { registered, values } = await built("core");
  expect(Object.keys(values)).toEqual(Object.keys(outputSchemas(planOf("core").stack)));
  expect(values["templateIds"]).toEqual({ pve: 9000 });
  expect(values["urls"]).toEqual({ vault: "https://safe.example.org" });
  expect(only(registered, "command:remote:Command", "names-dns-run").inputs["create"]).toContain("10.20.0.10 safe.example.org");
  expect(registered.filter(({ type }) => type === "homelab:platform:Minio")).toEqual([]);
  expect(JSON.stringify(registered)).not.toMatch(/fullstack|192\.168\.1\.|k8s-(?!app")/);
});

test("the other one takes templates and Vault from it, and gives the output of its application", async () => {
  const { registered, values } = await built("play");
  expect(Object.keys(values)).toEqual(Object.keys(outputSchemas(planOf("play").stack)));
  expect(values["greeting"]).toBe("https://hello.example.org");
  expect(only(registered, "proxmoxve:index/vmLegacy:VmLegacy").inputs).toMatchObject({ name: "toy", nodeName: "pve", clone: { vmId: 9000 } });
  expect(JSON.stringify(registered)).not.toMatch(/fullstack|192\.168\.1\.|k8s-(?!app")/);
});

test("hosts join a cluster's etcd one after the other; workers wait for nobody but the cluster", async () => {
  const plan = planOf("play");
  const [toy] = plan.vms;
  if (toy === undefined) throw new Error("play has a VM");
  const nodes = { one: "control-plane", two: "worker", three: "control-plane", four: "control-plane" } as const;
  const joining = Object.keys(nodes);
  const role = (name: string) => ({ role: { name, operations: [] }, secrets: {} });
  const { registered } = await builtOf(
    {
      ...plan,
      config: { ...plan.config, kubeadm: { podCidr: "10.244.0.0/16", cilium: { cli: { version: "v0.18.3", sha256: "a".repeat(64) } }, nodes } },
      joining,
      vms: [toy, ...joining.map((name, i) => ({ ...toy, name, vmId: 900 + i }))],
      roles: new Map<string, PlannedRole[]>([
        ["toy", [{ ...role("kubeadm-first"), makesCluster: true }]],
        ...joining.map((name): [string, PlannedRole[]] => [name, [role("kubeadm-node")]]),
      ]),
    },
    {
      // The hash of the cluster's authority is computed from it, so it must be a certificate.
      "/etc/kubernetes/admin.conf": K3S_KUBECONFIG.replace(
        /certificate-authority-data: .*/,
        `certificate-authority-data: ${Buffer.from((await newAuthority("test")).cert).toString("base64")}`,
      ),
    },
  );
  const waitsFor = (host: string): string[] =>
    (registered.find(({ type, name }) => type === "command:remote:Command" && name.startsWith(`${host}-kubeadm-node`))?.dependencies ?? [])
      .map((urn) => urn.split("::").at(-1) ?? "")
      .filter((name) => /^(one|two|three|four)-kubeadm-node/.test(name))
      .map((name) => name.split("-")[0] ?? "");
  expect(joining.map((host) => [host, [...new Set(waitsFor(host))]])).toEqual([
    ["one", []],
    ["two", []],
    ["three", ["one"]],
    ["four", ["three"]],
  ]);
});
