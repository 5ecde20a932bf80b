/** Changes that must be approved explicitly, because no other run can undo them. They are read from a preview's report. */
import { counted } from "../../common/counted";
import { changesAnything } from "../report/changes";
import type { ReportStep, RunReport } from "../report/report-schema";

export interface GatedChange {
  /** As `--approve` takes it: `<stack>/<name of the resource>`. */
  what: string;
  /** `replaces the VM`. */
  how: string;
}

/** Operations after which the former resource is lost. `discard` only removes it from the state. */
const LOSES: Readonly<Record<string, string>> = {
  delete: "deletes",
  replace: "replaces",
  "create-replacement": "replaces",
  "delete-replaced": "replaces",
  "import-replacement": "replaces",
};

/** Types of resources that hold data, or whose deletion deletes others that hold data. */
const HOLDS: readonly [RegExp, string][] = [
  [/^proxmoxve:index\/vm(Legacy)?:/, "the VM"],
  [/^proxmoxve:storage\//, "the storage"],
  [/^homelab:clusters:/, "the cluster"],
  [/^kubernetes:core\/v1:(PersistentVolumeClaim|PersistentVolume)$/, "the volume"],
  [/^kubernetes:core\/v1:Namespace$/, "the namespace with all that is in it"],
  [/^kubernetes:apps\/v1:StatefulSet(Patch)?$/, "the stateful set"],
  [/^kubernetes:apiextensions\.k8s\.io\/v1:CustomResourceDefinition$/, "the kind with all objects of it"],
  [/^kubernetes:postgresql\.cnpg\.io\/v1:Cluster$/, "the database"],
  [/^kubernetes:kubevirt\.io\/v1:(KubeVirt|VirtualMachine)$/, "the virtual machines of the cluster"],
  [/^kubernetes:cdi\.kubevirt\.io\/v1beta1:(CDI|DataVolume)$/, "the imported disks"],
  // Deleting a release deletes the PersistentVolumeClaims of its Deployments and the CRDs among its templates, such as MinIO's data and
  // cert-manager's certificates.
  [/^kubernetes:helm\.sh\/v3:Release$/, "the release, with the volumes and the kinds that are its own"],
  [/^vault:index\/mount:Mount$/, "the mount with all its secrets"],
];

function gatedStep(stack: string, { op, type, name, kept }: ReportStep): GatedChange[] {
  const loses = kept === true ? undefined : LOSES[op];
  const held = HOLDS.find(([pattern]) => pattern.test(type))?.[1];
  return loses === undefined || held === undefined ? [] : [{ what: `${stack}/${name}`, how: `${loses} ${held}` }];
}

/** What is lost, each once, in the order of the stacks. */
export function lostBy({ stacks }: Pick<RunReport, "stacks">): GatedChange[] {
  const all = stacks.flatMap(({ stack, steps }) => steps.flatMap((step) => gatedStep(stack, step)));
  return [...new Map(all.map((change) => [change.what, change])).values()];
}

/** The word of `--approve` that agrees to all changes in production that lose nothing. */
const PRODUCTION = "production";

/** What is lost, and one entry for each stack of production that changes. */
export function gatedChanges(report: Pick<RunReport, "stacks">, isProduction: (stack: string) => boolean = () => false): GatedChange[] {
  const changed = report.stacks
    .filter(({ stack }) => isProduction(stack))
    .flatMap(({ stack, steps }) => {
      const count = steps.filter(({ op, component }) => component !== true && changesAnything({ [op]: 1 })).length;
      return count === 0 ? [] : [{ what: stack, how: `changes production, in ${counted(count, "resource")}` }];
    });
  return [...lostBy(report), ...changed];
}

/** @param approve what `--approve` says: names of changes, `<stack>/*` for all of a stack, `production`, `all` */
export function unapproved(changes: readonly GatedChange[], approve: string | undefined): GatedChange[] {
  const names = new Set((approve ?? "").split(",").map((name) => name.trim()));
  const isNamed = (what: string): boolean => names.has(what) || names.has(`${what.split("/")[0]}/*`) || (!what.includes("/") && names.has(PRODUCTION));
  return changes.filter(({ what }) => !names.has("all") && !isNamed(what));
}

export const gateLines = (changes: readonly GatedChange[]): string => changes.map(({ what, how }) => `  ${what}: ${how}`).join("\n");
