import type { ReportStep, StackReport } from "../report/report-schema";
import { gatedChanges, unapproved } from "./gated-changes";

const step = (op: string, type: string, name: string): ReportStep => ({ op, type, name, urn: `urn::${name}`, diffs: [], keys: [] });
const stack = (name: string, ...steps: ReportStep[]): StackReport => ({
  stack: name,
  status: "succeeded",
  duration: 1,
  offset: 0,
  changes: {},
  steps,
  diagnostics: [],
  unknowns: [],
});
const VM = "proxmoxve:index/vmLegacy:VmLegacy";

test("replacing and deleting what holds data must be approved; creating it, changing it and forgetting it need not", () => {
  const quiet = ["create", "update", "same", "refresh", "discard"].map((op) => step(op, VM, op));
  const report = {
    stacks: [stack("dev", ...quiet, step("replace", VM, "a-vm"), step("delete-replaced", VM, "a-vm")), stack("prod", step("delete", VM, "b-vm"))],
  };
  expect(gatedChanges(report)).toEqual([
    { what: "dev/a-vm", how: "replaces the VM" },
    { what: "prod/b-vm", how: "deletes the VM" },
  ]);
});

test.each([
  ["homelab:clusters:K3sCluster", "deletes the cluster"],
  ["proxmoxve:storage/zfspool:Zfspool", "deletes the storage"],
  ["kubernetes:core/v1:PersistentVolumeClaim", "deletes the volume"],
  ["kubernetes:core/v1:Namespace", "deletes the namespace with all that is in it"],
  ["kubernetes:apps/v1:StatefulSet", "deletes the stateful set"],
  ["kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", "deletes the kind with all objects of it"],
  ["kubernetes:postgresql.cnpg.io/v1:Cluster", "deletes the database"],
  ["kubernetes:kubevirt.io/v1:KubeVirt", "deletes the virtual machines of the cluster"],
  ["kubernetes:cdi.kubevirt.io/v1beta1:DataVolume", "deletes the imported disks"],
  ["kubernetes:helm.sh/v3:Release", "deletes the release, with the volumes and the kinds that are its own"],
  ["vault:index/mount:Mount", "deletes the mount with all its secrets"],
])("%s", (type, how) => {
  expect(gatedChanges({ stacks: [stack("dev", step("delete", type, "x"))] })).toEqual([{ what: "dev/x", how }]);
});

test("a resource that its deletion keeps (retain on delete) is not lost", () => {
  const kept = { ...step("delete", "kubernetes:core/v1:Namespace", "data"), kept: true };
  expect(gatedChanges({ stacks: [stack("dev", kept, step("delete", "kubernetes:core/v1:Namespace", "x"))] })).toEqual([
    { what: "dev/x", how: "deletes the namespace with all that is in it" },
  ]);
});

test.each(["kubernetes:core/v1:ConfigMap", "kubernetes:apps/v1:Deployment", "command:remote:Command", "homelab:hosts:HostRole"])("%s is made again", (type) => {
  expect(gatedChanges({ stacks: [stack("dev", step("delete", type, "x"))] })).toEqual([]);
});

test("approved by name, by stack, or all at once", () => {
  const changes = ["dev/a", "dev/b", "prod/a"].map((what) => ({ what, how: "deletes the VM" }));
  const left = (approve?: string): string[] => unapproved(changes, approve).map(({ what }) => what);
  expect([left(), left(""), left("dev/a, prod/a"), left("dev/*"), left("all"), left("dev")]).toEqual([
    ["dev/a", "dev/b", "prod/a"],
    ["dev/a", "dev/b", "prod/a"],
    ["dev/b"],
    ["prod/a"],
    [],
    ["dev/a", "dev/b", "prod/a"],
  ]);
});
