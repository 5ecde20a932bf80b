/** The programs behind some images (data/programs.yaml): they run while their pod does, and their data lives as long as its volume. */
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { projectRoot } from "../../common/paths";
import type { LabContext, Persistent, Stoppable } from "../core/world";
import { startHarbor } from "../harbor";
import type { KubeObject } from "../kubernetes";
import { type JsonMap, listAt, mapAt, textAt } from "../kubernetes/objects";
import { type S3Server, startS3, type WantedBucket } from "../s3";
import { startVault } from "../vault";
import { imageMatches } from "./containers";
import { ExternalDnsContainer } from "./external-dns";
import { decode64, type Kube } from "./kube";
import { longhornJob } from "./longhorn";
import { environmentOf } from "./pod-starts";
import type { WorkQueue } from "./queue";
import { bucketsOfSeaweedfs, usersOfSeaweedfs } from "./seaweedfs";

const entrySchema = z.strictObject({
  image: z.string(),
  program: z.enum(["vault", "s3", "minio-client", "external-dns", "harbor", "seaweedfs"]),
  data: z.string().optional(),
  ports: z.array(z.number()),
});
type Entry = z.infer<typeof entrySchema>;

const savedSchema = z.object({ disks: z.record(z.string(), z.unknown()) });

interface Running extends Stoppable, Persistent {
  readonly port: number;
  ready(): boolean;
  /** Lines that it printed; undefined for a program whose output is not simulated. */
  readonly log?: readonly string[];
  /** The program's own work, which the queue runs. */
  turn?(): Promise<void>;
  /** Of a MinIO. */
  s3?: Pick<S3Server, "makeBuckets" | "makeUsers">;
  entry: Entry;
  uid: string;
  disk: string;
}

/** Key prefix, before the namespace, of a simulated Harbor's data: it lies in no volume. */
const HARBOR_DISK = "harbor-of/";

/** Kind of the queue's keys for programs with work of their own; the name is the pod's. */
const TURN = "program";

let table: Entry[] | undefined;
function entryOf(image: string): Entry | undefined {
  table ??= z.array(entrySchema).parse(parse(fs.readFileSync(path.join(projectRoot(), "lab", "controllers", "data", "programs.yaml"), "utf8")));
  return table.find((entry) => imageMatches(entry.image, image));
}

/** The script of the job's configuration. */
function configOf(kube: Kube, pod: KubeObject): string {
  const sources = listAt(pod, "spec", "volumes").flatMap((volume) => listAt(volume, "projected", "sources"));
  const names = sources.flatMap((source) => textAt(source, "configMap", "name") ?? []);
  return names.map((name) => textAt(kube.find("v1", "ConfigMap", pod.metadata.namespace, name), "data", "initialize") ?? "").join("\n");
}

/** Of lines `createBucket <name> <policy> <purge> <versioning> <locking>`. */
const bucketsOf = (script: string): WantedBucket[] =>
  [...script.matchAll(/^createBucket (\S+) \S+ \S+ (\S+)/gm)].map(([, name = "", versioning]) => ({ name, versioning: versioning === "true" }));

/** Of lines `createPolicy <name> "<statements as YAML>"` and `createUser <access key> <Secret>/<key> <policy>`. */
function usersOf(script: string, secretKey: (name: string, key: string) => string): Parameters<S3Server["makeUsers"]>[0] {
  const policies = new Map([...script.matchAll(/^createPolicy (\S+) (".*")$/gm)].map(([, name = "", yaml = '""']) => [name, parse(JSON.parse(yaml))]));
  return Object.fromEntries(
    [...script.matchAll(/^createUser (\S+) ([^/\s]+)\/(\S+) (\S+)/gm)].map(([, user = "", secret = "", key = "", policy = ""]) => [
      user,
      { secretKey: secretKey(secret, key), statements: policies.get(policy) ?? [] },
    ]),
  );
}

export class Programs {
  readonly #running = new Map<string, Running>();
  readonly #starting = new Map<string, Promise<void>>();
  /** Data by the uid of the claim, or of the pod where its volume goes with it. */
  #disks: Record<string, unknown> = {};
  /** Pods that ran when the state was saved: their programs continue as they were. */
  readonly #resumed = new Set<string>();

  constructor(
    private readonly kube: Kube,
    private readonly ctx: LabContext,
    private readonly queue: WorkQueue,
    /** Called when a pod's program has become ready, or is no longer. */
    private readonly changed: (namespace: string | undefined, name: string) => void,
  ) {
    queue.on(TURN, (namespace, name) => this.#running.get(`${namespace}/${name}`)?.turn?.());
  }

  /** Takes what `save` gave, before anything runs. */
  resume(saved: unknown): void {
    this.#disks = { ...savedSchema.parse(saved).disks };
    for (const pod of this.kube.all("v1", "Pod")) if (textAt(pod, "status", "phase") === "Running") this.#resumed.add(pod.metadata.uid ?? "");
  }

  /** Starts the pod's program where it has one. @returns whether the pod answers its readiness probe */
  async ready(pod: KubeObject): Promise<boolean> {
    const container = listAt(pod, "spec", "containers").find((candidate) => entryOf(String(candidate["image"])) !== undefined);
    const entry = container && entryOf(String(container["image"]));
    if (container === undefined || entry === undefined) return true;
    const key = `${pod.metadata.namespace}/${pod.metadata.name}`;
    if (this.#running.get(key)?.uid !== pod.metadata.uid) {
      await this.ended(key);
      const start = this.#starting.get(key) ?? this.#start(key, pod, container, entry);
      this.#starting.set(key, start);
      await start.finally(() => this.#starting.delete(key));
    }
    return this.#running.get(key)?.ready() ?? false;
  }

  #diskOf(pod: KubeObject, container: JsonMap, { data, program }: Entry): string {
    if (program === "harbor") return `${HARBOR_DISK}${pod.metadata.namespace}`;
    const mounted = listAt(container, "volumeMounts").find((mount) => mount["mountPath"] === data);
    const volume = listAt(pod, "spec", "volumes").find((candidate) => candidate["name"] === mounted?.["name"]);
    const claim = this.kube.find("v1", "PersistentVolumeClaim", pod.metadata.namespace, textAt(volume, "persistentVolumeClaim", "claimName") ?? "");
    return claim?.metadata.uid ?? pod.metadata.uid ?? "";
  }

  /** The password of Harbor's user `admin`, from the environment of its core. */
  #adminOfHarbor(namespace: string | undefined): string {
    const core = this.kube.all("v1", "Pod", namespace).find(({ metadata }) => metadata.labels?.["app"] === "harbor" && metadata.labels["component"] === "core");
    const [container] = listAt(core, "spec", "containers");
    return core === undefined || container === undefined ? "" : (environmentOf(this.kube, core, container)["HARBOR_ADMIN_PASSWORD"] ?? "");
  }

  async #start(key: string, pod: KubeObject, container: JsonMap, entry: Entry): Promise<void> {
    const { ctx, kube } = this;
    const { namespace, name, uid = "" } = pod.metadata;
    const disk = this.#diskOf(pod, container, entry);
    const saved = this.#disks[disk] === undefined ? {} : { saved: this.#disks[disk] };
    const label = `${kube.cluster.name}/${key}`;
    const shared = { entry, uid, disk };
    const wait = ctx.latency.of("vault.start");
    if (wait > 0) await ctx.clock.sleep(wait);
    if (entry.program === "vault") {
      const account = textAt(pod, "spec", "serviceAccountName") ?? "default";
      const token = (): string => {
        const found = kube.find("v1", "ServiceAccount", namespace, account);
        return found === undefined ? "" : kube.cluster.tokens.issue(found, ["https://kubernetes.default.svc.cluster.local"], 3600).token;
      };
      const server = await startVault(label, ctx, {
        ...saved,
        sealed: !this.#resumed.has(uid),
        onSealChange: () => this.changed(namespace, name),
        pod: { caPem: kube.cluster.caPem, token, api: `https://${kube.cluster.address}:6443` },
      });
      this.#running.set(key, {
        ...shared,
        port: server.port,
        ready: () => !server.sealed,
        save: () => server.save(),
        restore: (state) => server.restore(state),
        stop: () => server.stop(),
      });
    } else if (entry.program === "external-dns") {
      const schedule = (ms: number): void => this.queue.after(ms, TURN, namespace, name);
      const program = new ExternalDnsContainer(kube, ctx, pod, container, schedule, () => this.changed(namespace, name));
      this.#running.set(key, Object.assign(program, shared));
    } else if (entry.program === "harbor") {
      const server = await startHarbor(label, ctx, { ...saved, password: () => this.#adminOfHarbor(namespace) });
      this.#running.set(key, { ...shared, ...server, ready: () => true });
    } else {
      const environment = environmentOf(kube, pod, container);
      const ofSeaweedfs = entry.program === "seaweedfs" ? usersOfSeaweedfs(kube, pod) : undefined;
      const ofMinio = { accessKey: environment["MINIO_ROOT_USER"] ?? "minioadmin", secretKey: environment["MINIO_ROOT_PASSWORD"] ?? "minioadmin" };
      const server = await startS3(label, ctx, { ...saved, credentials: ofSeaweedfs?.root ?? ofMinio });
      if (ofSeaweedfs !== undefined) server.makeUsers(ofSeaweedfs.users);
      this.#running.set(key, {
        ...shared,
        port: server.port,
        ready: () => true,
        s3: server,
        save: () => server.save(),
        restore: (state) => server.restore(state),
        stop: () => server.stop(),
      });
    }
    this.#resumed.delete(uid);
    // It may have gone while its program started.
    if (this.kube.find("v1", "Pod", namespace, name)?.metadata.uid !== uid) await this.ended(key);
  }

  /** Runs the program of a job's pod, where the lab models it. @returns whether it has ended, or why it failed */
  finished(pod: KubeObject): boolean | { failure: string } {
    const longhorn = longhornJob(this.kube, pod);
    if (longhorn !== undefined) return longhorn === "" || { failure: longhorn };
    const wanted = bucketsOfSeaweedfs(pod);
    if (wanted !== undefined) {
      const seaweedfs = this.#behind(pod.metadata.namespace, wanted.service);
      if (seaweedfs?.s3 === undefined || !seaweedfs.ready()) return false;
      seaweedfs.s3.makeBuckets(wanted.buckets);
      return true;
    }
    const container = listAt(pod, "spec", "containers").find((candidate) => entryOf(String(candidate["image"]))?.program === "minio-client");
    if (container === undefined) return true;
    const server = this.#behind(pod.metadata.namespace, environmentOf(this.kube, pod, container)["MINIO_ENDPOINT"] ?? "");
    // The chart's script asks until MinIO answers.
    if (server?.s3 === undefined || !server.ready()) return false;
    const script = configOf(this.kube, pod);
    server.s3.makeBuckets(bucketsOf(script));
    server.s3.makeUsers(usersOf(script, (name, key) => decode64(textAt(this.kube.find("v1", "Secret", pod.metadata.namespace, name), "data", key) ?? "")));
    return true;
  }

  /** The program of a pod that a service of this name leads to. */
  #behind(namespace: string | undefined, service: string): Running | undefined {
    const selector = Object.entries(mapAt(this.kube.find("v1", "Service", namespace, service), "spec", "selector"));
    const pods = this.kube.all("v1", "Pod").filter(({ metadata }) => metadata.namespace === namespace);
    const behind = pods.filter(({ metadata }) => selector.length > 0 && selector.every(([key, value]) => metadata.labels?.[key] === value));
    return behind.flatMap(({ metadata }) => this.#running.get(`${metadata.namespace}/${metadata.name}`) ?? [])[0];
  }

  /** The pod is gone; its data stays where it has a claim. */
  async ended(key: string): Promise<void> {
    const running = this.#running.get(key);
    if (running === undefined) return;
    this.#running.delete(key);
    if (running.disk === running.uid) delete this.#disks[running.disk];
    else this.#disks[running.disk] = running.save();
    this.ctx.changed();
    await running.stop();
  }

  /** Forgets the data of claims that are gone. */
  sweep(): void {
    const claims = new Set(this.kube.all("v1", "PersistentVolumeClaim").map((claim) => claim.metadata.uid));
    const used = new Set([...this.#running.values()].map(({ disk }) => disk));
    for (const disk of Object.keys(this.#disks)) if (!claims.has(disk) && !used.has(disk) && !disk.startsWith(HARBOR_DISK)) delete this.#disks[disk];
  }

  /** Local port of a pod's program. @param port the container's */
  portOf(pod: KubeObject, port: number): number | undefined {
    const running = this.#running.get(`${pod.metadata.namespace}/${pod.metadata.name}`);
    return running?.entry.ports.includes(port) ? running.port : undefined;
  }

  /** What a connection to a pod's port meets: a program, nothing, or one that the lab does not have. */
  connection(pod: KubeObject, port: number): { port: number } | { refused: string } {
    const local = this.portOf(pod, port);
    if (local !== undefined) return { port: local };
    const declared = listAt(pod, "spec", "containers").flatMap((container) => listAt(container, "ports"));
    if (!declared.some(({ containerPort }) => containerPort === port)) return { refused: `dial tcp4 127.0.0.1:${port}: connect: connection refused` };
    const { namespace, name } = pod.metadata;
    const what = `what listens on port ${port} of the pod ${namespace}/${name} is not modelled by the lab`;
    this.ctx.unhandled.add({ system: "kubernetes", target: this.kube.cluster.name, what: `pods/portforward: ${what}` });
    return { refused: what };
  }

  /** What a pod's program printed; undefined if its output is not simulated. */
  outputOf(key: string): readonly string[] | undefined {
    return this.#running.get(key)?.log;
  }

  save(): unknown {
    const disks = { ...this.#disks };
    for (const running of this.#running.values()) disks[running.disk] = running.save();
    return { disks };
  }

  async stop(): Promise<void> {
    await Promise.all(this.#starting.values());
    const all = [...this.#running.values()];
    this.#disks = mapAt(this.save(), "disks");
    this.#running.clear();
    await Promise.all(all.map((running) => running.stop()));
  }
}
