/** The volumes of a container as folders: what ConfigMaps, Secrets and the API give is read-only; an emptyDir and a claim hold what commands wrote. */
import * as path from "node:path/posix";
import { InMemoryFs } from "just-bash";
import { type KubeObject, StatusError } from "../kubernetes";
import { type JsonMap, listAt, mapAt, numberAt, textAt } from "../kubernetes/objects";
import type { Kube } from "./kube";
import { fieldOf } from "./pod-starts";

const ACCOUNT_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount";
const TOKEN_SECONDS = 3607;

/** A folder that only the cluster writes. */
class ReadOnlyFs extends InMemoryFs {
  static of(files: Readonly<Record<string, Buffer>>): ReadOnlyFs {
    return new ReadOnlyFs(Object.fromEntries(Object.entries(files).map(([name, content]) => [`/${name}`, new Uint8Array(content)])));
  }
  readonly #refuse = (what: string, name: string): Promise<never> => Promise.reject(new Error(`EROFS: read-only file system, ${what} '${name}'`));
  override writeFile: InMemoryFs["writeFile"] = (name) => this.#refuse("open", name);
  override appendFile: InMemoryFs["appendFile"] = (name) => this.#refuse("open", name);
  override mkdir: InMemoryFs["mkdir"] = (name) => this.#refuse("mkdir", name);
  override rm: InMemoryFs["rm"] = (name) => this.#refuse("unlink", name);
  override cp: InMemoryFs["cp"] = (_from, name) => this.#refuse("open", name);
  override mv: InMemoryFs["mv"] = (_from, name) => this.#refuse("rename", name);
  override chmod: InMemoryFs["chmod"] = (name) => this.#refuse("chmod", name);
  override symlink: InMemoryFs["symlink"] = (_target, name) => this.#refuse("symlink", name);
  override link: InMemoryFs["link"] = (_from, name) => this.#refuse("link", name);
}

const unknownVolume = (volume: JsonMap): StatusError => {
  const kind = Object.keys(volume).find((key) => key !== "name") ?? "none";
  return new StatusError(
    501,
    "NotImplemented",
    `the volume ${String(volume["name"])} of the kind ${kind} is not modelled by the lab, so no command can run in a container that mounts it`,
  );
};

export class ContainerVolumes {
  /** By the uid of a claim, or of a pod with the volume's name, and the path in it. */
  readonly #kept = new Map<string, InMemoryFs>();

  constructor(private readonly kube: Kube) {}

  /** Everything that is mounted in a container, by its folder; a single file (`subPath`) apart. @throws StatusError 501 */
  of(pod: KubeObject, container: JsonMap): { folders: Map<string, InMemoryFs>; files: Map<string, Buffer> } {
    const folders = new Map<string, InMemoryFs>();
    const files = new Map<string, Buffer>();
    for (const mount of listAt(container, "volumeMounts")) {
      const volume = listAt(pod, "spec", "volumes").find(({ name }) => name === mount["name"]) ?? {};
      const [target, inside] = [path.resolve("/", String(mount["mountPath"])), textAt(mount, "subPath")];
      const content = this.#content(pod, volume);
      if (content === undefined) folders.set(target, this.#keep(`${this.#keyOf(pod, volume)}/${inside ?? ""}`));
      else if (inside === undefined) folders.set(target, ReadOnlyFs.of(content));
      else files.set(target, content[inside] ?? Buffer.alloc(0));
    }
    if (!folders.has(ACCOUNT_FOLDER) && this.#hasToken(pod)) folders.set(ACCOUNT_FOLDER, ReadOnlyFs.of(this.#account(pod)));
    return { folders, files };
  }

  #keep(key: string): InMemoryFs {
    const found = this.#kept.get(key) ?? new InMemoryFs();
    this.#kept.set(key, found);
    return found;
  }

  #keyOf(pod: KubeObject, volume: JsonMap): string {
    const claim = textAt(volume, "persistentVolumeClaim", "claimName");
    if (claim === undefined) return `${pod.metadata.uid}/${String(volume["name"])}`;
    return this.kube.find("v1", "PersistentVolumeClaim", pod.metadata.namespace, claim)?.metadata.uid ?? "";
  }

  /** Files of a volume that the cluster fills; undefined for one that programs fill. */
  #content(pod: KubeObject, volume: JsonMap): Record<string, Buffer> | undefined {
    if (volume["emptyDir"] !== undefined || volume["persistentVolumeClaim"] !== undefined) return undefined;
    if (volume["projected"] !== undefined)
      return Object.assign({}, ...listAt(volume, "projected", "sources").map((source) => this.#source(pod, source, volume)));
    const secret = mapAt(volume, "secret");
    return this.#source(pod, volume["secret"] === undefined ? volume : { secret: { ...secret, name: textAt(secret, "secretName") ?? "" } }, volume);
  }

  #source(pod: KubeObject, source: JsonMap, volume: JsonMap): Record<string, Buffer> {
    const { namespace } = pod.metadata;
    for (const [key, kind] of [
      ["configMap", "ConfigMap"],
      ["secret", "Secret"],
    ] as const) {
      if (source[key] === undefined) continue;
      const found = this.kube.find("v1", kind, namespace, textAt(source, key, "name") ?? "");
      const decode = (value: unknown, encoded: boolean): Buffer => Buffer.from(String(value), encoded ? "base64" : "utf8");
      const all = [
        ...Object.entries(mapAt(found, "data")).map(([name, value]) => [name, decode(value, kind === "Secret")] as const),
        ...Object.entries(mapAt(found, "binaryData")).map(([name, value]) => [name, decode(value, true)] as const),
      ];
      const items = listAt(source, key, "items");
      const named = (name: string): string[] => items.filter((item) => item["key"] === name).map((item) => String(item["path"]));
      return Object.fromEntries(all.flatMap(([name, value]) => (items.length === 0 ? [name] : named(name)).map((at) => [at, value])));
    }
    if (source["serviceAccountToken"] !== undefined) {
      const token = mapAt(source, "serviceAccountToken");
      const audience = textAt(token, "audience") ?? "https://kubernetes.default.svc.cluster.local";
      return { [textAt(token, "path") ?? ""]: Buffer.from(this.#token(pod, audience, numberAt(token, "expirationSeconds") ?? TOKEN_SECONDS)) };
    }
    if (source["downwardAPI"] !== undefined) {
      const items = listAt(source, "downwardAPI", "items");
      const entries = items.map((item) => [String(item["path"]), fieldOf(pod, textAt(item, "fieldRef", "fieldPath") ?? "")] as const);
      if (entries.every(([, value]) => value !== undefined)) return Object.fromEntries(entries.map(([at, value]) => [at, Buffer.from(value ?? "")]));
    }
    throw unknownVolume(volume);
  }

  #accountOf(pod: KubeObject): KubeObject | undefined {
    return this.kube.find("v1", "ServiceAccount", pod.metadata.namespace, textAt(pod, "spec", "serviceAccountName") ?? "default");
  }

  #hasToken(pod: KubeObject): boolean {
    const account = this.#accountOf(pod);
    const own = mapAt(pod, "spec")["automountServiceAccountToken"];
    return account !== undefined && (own ?? account["automountServiceAccountToken"]) !== false;
  }

  #token(pod: KubeObject, audience: string, seconds: number): string {
    const account = this.#accountOf(pod);
    return account === undefined ? "" : this.kube.cluster.tokens.issue(account, [audience], seconds).token;
  }

  #account(pod: KubeObject): Record<string, Buffer> {
    return {
      token: Buffer.from(this.#token(pod, "https://kubernetes.default.svc.cluster.local", TOKEN_SECONDS)),
      "ca.crt": Buffer.from(this.kube.cluster.caPem),
      namespace: Buffer.from(pod.metadata.namespace ?? ""),
    };
  }

  /** Deletes the data of claims and pods that no longer exist. */
  sweep(): void {
    const there = new Set([...this.kube.all("v1", "PersistentVolumeClaim"), ...this.kube.all("v1", "Pod")].map(({ metadata }) => metadata.uid));
    for (const key of this.#kept.keys()) if (!there.has(key.split("/")[0])) this.#kept.delete(key);
  }
}
