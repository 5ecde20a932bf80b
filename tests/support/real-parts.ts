/**
 * The real programs that tests compare with: where each is, or why it is missing and how to get it. A test that needs one uses
 * {@link describeReal}. Without the part it is skipped, and the last lines of the run name the part.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { inventory as inventoryOfInstaller } from "../../build/real-parts.cjs";
import RealSequencer from "./real-sequencer.cjs";
import { describeWhere } from "./skips";

const partSchema = z.object({
  name: z.string(),
  version: z.string(),
  how: z.string(),
  path: z.string().optional(),
  home: z.string().optional(),
  missing: z.string().optional(),
});
type Part = z.infer<typeof partSchema>;

export type PartName =
  | "ip"
  | "ssh"
  | "debootstrap"
  | "etcd"
  | "age"
  | "rclone"
  | "postgres"
  | "shellcheck"
  | "redis-server"
  | "buildah"
  | "busybox"
  | "cloud-init"
  | "chromium"
  | "browser-driver"
  | "ansible"
  | "zizmor"
  | "check-jsonschema"
  | "hadolint"
  | "actionlint"
  | "debian-root"
  | "kube-apiserver"
  | "kube-controller-manager"
  | "kubeadm"
  | "kubectl"
  | "pulumi"
  | "vault"
  | "pulumi-kubernetes"
  | "external-secrets"
  | "external-dns"
  | "argocd"
  | "istiod"
  | "istioctl"
  | "sops"
  | "minio"
  | "helm"
  | "automation-go"
  | "automation-python"
  | "nats-server"
  | "promtool"
  | "amtool"
  | "otelcol"
  | "cluster-api"
  | "kwok";

/** A part that is installed. */
export interface FoundPart {
  path: string;
}

/** A part that is missing: why, and one line on how to get it. */
export interface MissingPart {
  path?: undefined;
  missing: string;
  how: string;
}

let known: Part[] | undefined;

function inventory(): Part[] {
  if (known === undefined) {
    known = z.array(partSchema).parse(inventoryOfInstaller());
  }
  return known;
}

/** Where a real part is. Without `HOMELAB_TEST_REAL=1` every part is missing. */
export function realPart(name: PartName): FoundPart | MissingPart {
  if (process.env["HOMELAB_TEST_REAL"] !== "1") return { missing: `${name}: real parts were not asked for`, how: "make test-real" };
  const part = inventory().find((candidate) => candidate.name === name);
  if (part === undefined) throw new Error(`build/real-parts.json has no part ${name}`);
  if (part.path !== undefined) return { path: part.path };
  return { missing: `${name} (${part.version}): ${part.missing ?? "not installed"}`, how: part.how };
}

/** @throws if the part is missing: call it inside {@link describeReal} */
export function realPartPath(name: PartName): string {
  const part = realPart(name);
  if (part.path === undefined) throw new Error(`${part.missing}; ${part.how}`);
  return part.path;
}

/**
 * A file or folder of a part's module, such as `deploy/crds/bundle.yaml` of external-secrets; read-only.
 * @public
 * @throws if the part is missing, or has no such file
 */
export function realPartFile(name: PartName, file: string): string {
  realPartPath(name);
  const home = inventory().find((candidate) => candidate.name === name)?.home;
  const found = home === undefined ? undefined : path.join(home, "files", file);
  if (found === undefined || !existsSync(found)) throw new Error(`${name} brings no file ${file}; "files" in build/real-parts.json says which it does`);
  return found;
}

/** Why parts are missing, as one text, which the reporter prints after the run; undefined if none is missing. */
export function missingParts(parts: readonly (FoundPart | MissingPart)[]): string | undefined {
  const missing = parts.filter((part): part is MissingPart => part.path === undefined);
  return missing.length === 0 ? undefined : missing.map(({ missing: why, how }) => `${why}; ${how}`).join(" | ");
}

/**
 * Why this file does not start: by its usual duration (real-sequencer.cjs) it may not end before `HOMELAB_REAL_UNTIL` (seconds since 1970),
 * which `.ci/run` sets.
 * @throws if that is not a number
 */
function noTimeLeft(): string | undefined {
  const text = process.env["HOMELAB_REAL_UNTIL"];
  if (text === undefined || text === "") return undefined;
  const until = Number(text);
  if (!Number.isFinite(until)) throw new Error(`HOMELAB_REAL_UNTIL is ${JSON.stringify(text)}; it must be seconds since 1970, as \`date +%s\` prints them`);
  if (RealSequencer.endsBy(expect.getState().testPath ?? "", Date.now() / 1000, until)) return undefined;
  return "no time was left in this run (HOMELAB_REAL_UNTIL); make test-real runs it";
}

/**
 * A group of tests that need real parts.
 * @param suite gets a function that returns the path of each part; call that only inside tests and hooks
 */
export function describeReal(names: readonly PartName[], title: string, suite: (pathOf: (name: PartName) => string) => void): void {
  const why = noTimeLeft() ?? missingParts(names.map(realPart));
  describeWhere(why === undefined, why ?? "")(title, () => suite(realPartPath));
}
