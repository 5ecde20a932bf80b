/**
 * Operators that make the rest of their software for one custom resource: KubeVirt and the Containerized Data Importer. While an operator
 * runs, it makes the objects of data/operands for its resource, which is available when they are. When the resource is deleted, the
 * operator deletes those objects and then removes its finalizer. Without the operator the resource stays, as on a real cluster.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { parseAllDocuments } from "yaml";
import { projectRoot } from "../../common/paths";
import type { KubeObject } from "../kubernetes";
import { listAt, mapAt, numberAt } from "../kubernetes/objects";
import { conditionOf, type Kube } from "./kube";
import type { WorkQueue } from "./queue";

interface Operand {
  /** Image of the operator's Deployment. */
  readonly image: RegExp;
  readonly apiVersion: string;
  readonly kind: string;
  readonly finalizer: string;
  readonly file: string;
}

const OPERANDS: readonly Operand[] = [
  { image: /\/virt-operator[:@]/, apiVersion: "kubevirt.io/v1", kind: "KubeVirt", finalizer: "foregroundDeleteKubeVirt", file: "kubevirt.yaml" },
  { image: /\/cdi-operator[:@]/, apiVersion: "cdi.kubevirt.io/v1beta1", kind: "CDI", finalizer: "operator.cdi.kubevirt.io", file: "cdi.yaml" },
];

const FOLDER = path.join("lab", "controllers", "data", "operands");
const parts = new Map<string, readonly KubeObject[]>();

function partsOf(file: string): readonly KubeObject[] {
  const read = (): KubeObject[] =>
    parseAllDocuments(fs.readFileSync(path.join(projectRoot(), FOLDER, file), "utf8")).map((document) => document.toJS() as KubeObject);
  const known = parts.get(file) ?? read();
  parts.set(file, known);
  return known;
}

const WATCHED = new Set(["Deployment", "DaemonSet", "CustomResourceDefinition"]);
const isDefinition = ({ kind }: KubeObject): boolean => kind === "CustomResourceDefinition";

function isUp(object: KubeObject | undefined): boolean {
  if (object === undefined) return false;
  if (object.kind === "Deployment") return (numberAt(object, "status", "availableReplicas") ?? 0) > 0;
  if (object.kind === "DaemonSet") return (numberAt(object, "status", "numberReady") ?? 0) > 0;
  return !isDefinition(object) || conditionOf(object, "Established")?.["status"] === "True";
}

export class Operands {
  constructor(
    private readonly kube: Kube,
    private readonly queue: WorkQueue,
  ) {
    for (const operand of OPERANDS) queue.on(operand.kind, (namespace, name) => this.#reconcile(operand, namespace, name));
  }

  /** An object changed that may be an operator, or may have been made by one. */
  changed({ kind }: KubeObject): void {
    if (!WATCHED.has(kind)) return;
    for (const { apiVersion, kind: own } of OPERANDS)
      for (const { metadata } of this.kube.all(apiVersion, own)) this.queue.add(own, metadata.namespace, metadata.name);
  }

  #runs({ image }: Operand): boolean {
    return this.kube
      .all("apps/v1", "Deployment")
      .some((one) => image.test(String(listAt(one, "spec", "template", "spec", "containers")[0]?.["image"] ?? "")) && isUp(one));
  }

  #live({ apiVersion, kind, metadata }: KubeObject): KubeObject | undefined {
    return this.kube.find(apiVersion, kind, metadata.namespace, metadata.name);
  }

  #reconcile(operand: Operand, namespace: string | undefined, name: string): void {
    const object = this.kube.find(operand.apiVersion, operand.kind, namespace, name);
    if (object === undefined || !this.#runs(operand)) return;
    if (object.metadata.deletionTimestamp === undefined) this.#hold(operand, object);
    else this.#takeAway(operand, object);
  }

  #hold(operand: Operand, object: KubeObject): void {
    const held = object.metadata.finalizers ?? [];
    if (!held.includes(operand.finalizer))
      this.kube.modify(object, (current) => ({ ...current, metadata: { ...current.metadata, finalizers: [...held, operand.finalizer] } }));
    this.#make(operand, object);
  }

  #make({ file }: Operand, object: KubeObject): void {
    const all = partsOf(file);
    const definitions = all.filter(isDefinition);
    for (const part of definitions) if (this.#live(part) === undefined) this.kube.create(part);
    const established = definitions.every((part) => isUp(this.#live(part)));
    if (established) for (const part of all) if (this.#live(part) === undefined) this.kube.create(part);
    const up = established && all.every((part) => isUp(this.#live(part)));
    const condition = (type: string, holds: boolean) =>
      this.kube.condition(object, type, holds ? "True" : "False", up ? "AllComponentsReady" : "DeploymentInProgress", "");
    this.kube.status(object, {
      ...mapAt(object, "status"),
      phase: up ? "Deployed" : "Deploying",
      conditions: [condition("Available", up), condition("Progressing", !up), condition("Degraded", false)],
    });
  }

  #takeAway({ file, finalizer }: Operand, object: KubeObject): void {
    const left = partsOf(file).flatMap((part) => this.#live(part) ?? []);
    for (const part of left) if (part.metadata.deletionTimestamp === undefined) this.kube.remove(part);
    // Objects with finalizers are deleted later. That change queues the resource again.
    if (partsOf(file).some((part) => this.#live(part) !== undefined)) return;
    this.kube.modify(object, (current) => ({
      ...current,
      metadata: { ...current.metadata, finalizers: (current.metadata.finalizers ?? []).filter((one) => one !== finalizer) },
    }));
  }
}
