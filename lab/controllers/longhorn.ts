/**
 * Longhorn, as far as others depend on it. While its managers run, there are its storage class, its settings as objects, and a volume for
 * each claim. Its Job uninstalls it if the setting allows that.
 */
import { parse } from "yaml";
import type { KubeObject } from "../kubernetes";
import { isMap, listAt, numberAt, textAt } from "../kubernetes/objects";
import type { Kube } from "./kube";
import type { WorkQueue } from "./queue";

const API = "longhorn.io/v1beta2";
const MANAGER = "longhorn-manager";
const CLASS = "longhorn";
const CONFIRMATION = "deleting-confirmation-flag";
export const LONGHORN_DRIVER = "driver.longhorn.io";

/** The text of a ConfigMap that holds YAML. */
function mapIn(config: KubeObject | undefined, key: string): Record<string, unknown> {
  const value: unknown = parse(textAt(config, "data", key) ?? "{}");
  return isMap(value) ? value : {};
}

export class Longhorn {
  constructor(
    private readonly kube: Kube,
    queue: WorkQueue,
  ) {
    queue.on("DaemonSet", (namespace, name) => this.#managers(namespace, name));
  }

  #managers(namespace: string | undefined, name: string): void {
    const { kube } = this;
    const managers = kube.find("apps/v1", "DaemonSet", namespace, name);
    if (name !== MANAGER || namespace === undefined || (numberAt(managers, "status", "numberReady") ?? 0) === 0) return;
    const storage = mapIn(kube.find("v1", "ConfigMap", namespace, "longhorn-storageclass"), "storageclass.yaml");
    if (textAt(storage, "metadata", "name") === CLASS && kube.find("storage.k8s.io/v1", "StorageClass", undefined, CLASS) === undefined)
      kube.create(storage as unknown as KubeObject);
    const settings = mapIn(kube.find("v1", "ConfigMap", namespace, "longhorn-default-setting"), "default-setting.yaml");
    for (const [setting, value] of Object.entries({ [CONFIRMATION]: "false", ...settings }))
      if (kube.find(API, "Setting", namespace, setting) === undefined)
        kube.create({ apiVersion: API, kind: "Setting", metadata: { name: setting, namespace }, value: String(value) });
  }
}

/**
 * What the program in a Job's pod does, if it is Longhorn's: its Job for the removal.
 * @returns undefined for another program; else why it fails, or "" where it has done its work
 */
export function longhornJob(kube: Kube, pod: KubeObject): string | undefined {
  const [container] = listAt(pod, "spec", "containers");
  const command = container?.["command"];
  if (!Array.isArray(command) || command[0] !== MANAGER || command[1] !== "uninstall") return undefined;
  const { namespace } = pod.metadata;
  const allowed = kube.find(API, "Setting", namespace, CONFIRMATION);
  if (allowed !== undefined && textAt(allowed, "value") !== "true")
    return `cannot uninstall Longhorn because ${CONFIRMATION} is set to \`false\`. Please set it to \`true\` using Longhorn UI or kubectl -n ${namespace} edit settings.longhorn.io ${CONFIRMATION}`;
  const storage = kube.find("storage.k8s.io/v1", "StorageClass", undefined, CLASS);
  for (const object of [...kube.all(API, "Setting", namespace), ...(storage === undefined ? [] : [storage])]) kube.remove(object);
  return "";
}

/** Source of a claim's volume, for which Longhorn keeps an object of its own. */
export function longhornVolume(kube: Kube, volume: string, size: unknown): { csi: object } {
  const namespace = "longhorn-system";
  if (kube.isAlive(namespace) && kube.find(API, "Volume", namespace, volume) === undefined)
    kube.create({ apiVersion: API, kind: "Volume", metadata: { name: volume, namespace }, spec: { size: String(size) } });
  return { csi: { driver: LONGHORN_DRIVER, fsType: "ext4", volumeHandle: volume } };
}

/** Removes Longhorn's object of a deleted volume. */
export function forgetLonghornVolume(kube: Kube, volume: string): void {
  const object = kube.find(API, "Volume", "longhorn-system", volume);
  if (object !== undefined) kube.remove(object);
}
