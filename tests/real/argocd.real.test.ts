/** Argo CD itself: it syncs a small Git repository into a real Kubernetes API, hooks first, heals what somebody changed, and prunes. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { stringify } from "yaml";
import { z } from "zod";
import { type RealControllers, startRealControllers } from "../support/real-controllers";
import { GitFolder } from "../support/real-git";
import { type RealKubernetes, startRealKubernetes } from "../support/real-kubernetes";
import { describeReal } from "../support/real-parts";
import { JOBS_DONE, writeStatus } from "../support/real-status";

const LIMIT_MS = 10 * 60_000;
const WAIT_MS = 3 * 60_000;
const APPLICATIONS = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications";

const applicationSchema = z.object({
  status: z
    .looseObject({
      sync: z.looseObject({ status: z.string(), revision: z.string().optional() }).optional(),
      health: z.looseObject({ status: z.string().optional() }).optional(),
      conditions: z.array(z.looseObject({ type: z.string(), message: z.string() })).optional(),
    })
    .optional(),
});

/** @param annotations without `argocd.argoproj.io/` */
const metadata = (name: string, annotations: Readonly<Record<string, string>> = {}): object => ({
  name,
  annotations: Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`argocd.argoproj.io/${key}`, value])),
});
const configMap = (name: string, level: string, annotations?: Readonly<Record<string, string>>): string =>
  stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: metadata(name, annotations), data: { level } });
const job = (name: string, annotations?: Readonly<Record<string, string>>): string =>
  stringify({
    ...{ apiVersion: "batch/v1", kind: "Job", metadata: metadata(name, annotations) },
    spec: { template: { spec: { restartPolicy: "Never", containers: [{ name, image: "busybox:1" }] } } },
  });

describeReal(["etcd", "kube-apiserver", "kube-controller-manager", "argocd", "redis-server"], "Argo CD itself", (pathOf) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-argocd-"));
  let git: GitFolder;
  let cluster: RealKubernetes;
  let controllers: RealControllers;
  beforeAll(async () => {
    git = new GitFolder(path.join(folder, "gitops"));
    git.commit({
      "shop/migrate.yaml": job("migrate", { hook: "PreSync", "hook-delete-policy": "BeforeHookCreation" }),
      "shop/config.yaml": configMap("config", "1"),
      "shop/fill.yaml": job("fill"),
      "shop/extra.yaml": configMap("extra", "1", { "sync-wave": "1" }),
    });
    // Argo CD prunes by foreground deletion, which needs the garbage collector to remove the finalizer.
    const controllerManager = pathOf("kube-controller-manager");
    cluster = await startRealKubernetes({ apiserver: pathOf("kube-apiserver"), etcd: pathOf("etcd"), controllerManager });
    controllers = await startRealControllers(cluster, { argocd: {} });
  }, LIMIT_MS);
  afterAll(async () => {
    try {
      await controllers?.stop();
    } finally {
      await cluster?.stop();
      fs.rmSync(folder, { recursive: true, force: true });
    }
  }, LIMIT_MS);

  const get = (route: string) => cluster.call("GET", route, undefined, { allowed: [404] });
  const inShop = (what: string) => get(`/api/v1/namespaces/shop/${what}`);
  const levelOf = async (name: string): Promise<string | undefined> =>
    z.object({ data: z.object({ level: z.string() }) }).safeParse(await inShop(`configmaps/${name}`)).data?.data.level;
  async function until<T>(ask: () => Promise<T>, wanted: T): Promise<void> {
    let answer = await ask();
    for (const deadline = Date.now() + WAIT_MS; JSON.stringify(answer) !== JSON.stringify(wanted) && Date.now() < deadline; ) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      answer = await ask();
    }
    expect(answer).toEqual(wanted);
  }
  const state = async () => {
    const { status } = applicationSchema.parse(await get(`${APPLICATIONS}/shop`));
    return { sync: status?.sync?.status, health: status?.health?.status, conditions: status?.conditions ?? [] };
  };
  const SYNCED = { sync: "Synced", health: "Healthy", conditions: [] };
  /** Asks Argo CD to look at Git now, as a webhook of the Git server does. */
  const refresh = () =>
    cluster.call(
      "PATCH",
      `${APPLICATIONS}/shop`,
      { metadata: { annotations: { "argocd.argoproj.io/refresh": "hard" } } },
      { contentType: "application/merge-patch+json" },
    );

  test(
    "the hook's Job comes first, the second wave once the first is healthy",
    async () => {
      const { server } = controllers.argocd ?? {};
      await cluster.call("POST", APPLICATIONS, {
        apiVersion: "argoproj.io/v1alpha1",
        kind: "Application",
        metadata: { name: "shop" },
        spec: {
          project: "default",
          source: { repoURL: git.url, path: "shop", targetRevision: "main" },
          destination: { server, namespace: "shop" },
          syncPolicy: { automated: { prune: true, selfHeal: true }, syncOptions: ["CreateNamespace=true"] },
        },
      });
      const isThere = (name: string) => async () =>
        z.looseObject({ kind: z.literal("Job") }).safeParse(await get(`/apis/batch/v1/namespaces/shop/jobs/${name}`)).success;
      await until(isThere("migrate"), true);
      // The hook's Job has not run yet.
      expect([await isThere("fill")(), await levelOf("config"), await levelOf("extra")]).toEqual([false, undefined, undefined]);
      await writeStatus(cluster, JOBS_DONE);
      await until(isThere("fill"), true);
      await until(() => levelOf("config"), "1");
      expect(await levelOf("extra")).toBeUndefined();
      await writeStatus(cluster, JOBS_DONE);
      await until(state, SYNCED);
      expect([await levelOf("config"), await levelOf("extra")]).toEqual(["1", "1"]);
    },
    LIMIT_MS,
  );

  test(
    "what somebody changes by hand is as Git has it again",
    async () => {
      const byHand = { data: { level: "by hand" } };
      await cluster.call("PATCH", "/api/v1/namespaces/shop/configmaps/config", byHand, { contentType: "application/merge-patch+json" });
      await until(() => levelOf("config"), "1");
    },
    LIMIT_MS,
  );

  test(
    "a commit arrives, and what it removes goes",
    async () => {
      git.commit({ "shop/migrate.yaml": undefined, "shop/config.yaml": configMap("config", "2"), "shop/extra.yaml": undefined });
      await refresh();
      await until(async () => [await levelOf("config"), await levelOf("extra")], ["2", undefined]);
      await until(state, SYNCED);
    },
    LIMIT_MS,
  );
});
