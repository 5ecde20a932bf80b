/** Installs by the `helm` executable. Values, credentials and the kubeconfig reach it by standard input and files of its own, never as arguments. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { z } from "zod";
import { spawn } from "../../../common/children";
import { childEnv } from "../../../common/env";
import { HomelabError } from "../../../common/errors";
import { portableYaml } from "../../../common/yaml";
import { type Manifest, manifestsIn } from "./manifest";
import type { Installer, ReleaseName, ReleaseSpec, Repository } from "./release-spec";

/** How long helm may take, after a signal, to write the release's record. */
const STOP_GRACE_MS = 30_000;
const REPOSITORY = "homelab";
const dryRunSchema = z.looseObject({ manifest: z.string() });

/** @returns what it printed */
type Run = (args: readonly string[], stdin: string) => Promise<string>;

/** A chart in a repository or registry that asks for credentials. */
const needsLogin = ({ repo: _repo, ...credentials }: Repository): boolean => Object.keys(credentials).length > 0;

/** `oci://host/path` → `host` */
const registryHost = (url: string): string | undefined => /^oci:\/\/([^/]+)/.exec(url)?.[1];

const flags = (given: Record<string, boolean>): string[] => Object.entries(given).flatMap(([name, on]) => (on ? [`--${name}`] : []));
const options = (given: Record<string, string | number | undefined>): string[] =>
  Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, String(value)]));

function upgradeArguments(spec: ReleaseSpec, chart: readonly string[]): string[] {
  const given = flags({
    "create-namespace": spec.createNamespace,
    wait: !spec.skipAwait,
    "wait-for-jobs": spec.waitForJobs,
    atomic: spec.atomic,
    "cleanup-on-fail": spec.cleanupOnFail,
    "skip-crds": spec.skipCrds,
    "dependency-update": spec.dependencyUpdate,
    devel: spec.devel,
    "disable-openapi-validation": spec.disableOpenapiValidation,
    "no-hooks": spec.disableWebhooks,
    force: spec.forceUpdate,
    "render-subchart-notes": spec.renderSubchartNotes,
    "reset-values": spec.resetValues,
    "reuse-values": spec.reuseValues,
    "take-ownership": spec.takeOwnership,
    verify: spec.verify,
  });
  const valued = options({ version: spec.version, description: spec.description, keyring: spec.keyring, "history-max": spec.maxHistory });
  return ["upgrade", spec.name, ...chart, "--install", "--namespace", spec.namespace, "--timeout", `${spec.timeout}s`, ...given, ...valued, "--values", "-"];
}

export class HelmCommand implements Installer {
  constructor(
    private readonly helm: string,
    private readonly kubeconfig: string,
  ) {}

  /** One call of helm. On an abort helm gets a signal and is waited for, so that it can write the release's record. */
  #spawn(folder: string, args: readonly string[], stdin: string, signal: AbortSignal): Promise<string> {
    return new Promise<string>((resolve, reject) => {
      const child = spawn(this.helm, [...args, "--kubeconfig", path.join(folder, "kubeconfig")], {
        env: childEnv({ HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder, HELM_REGISTRY_CONFIG: path.join(folder, "registry.json") }),
        stdio: ["pipe", "pipe", "pipe"],
      });
      let kill: NodeJS.Timeout | undefined;
      const stop = (): void => {
        child.kill("SIGTERM");
        kill = setTimeout(() => child.kill("SIGKILL"), STOP_GRACE_MS);
      };
      signal.addEventListener("abort", stop, { once: true });
      const end = (settle: () => void): void => {
        clearTimeout(kill);
        signal.removeEventListener("abort", stop);
        settle();
      };
      const stdout: Buffer[] = [];
      child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
      let stderr = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        stderr = (stderr + text).slice(-4_000);
      });
      child.on("error", (error) => end(() => reject(error)));
      child.on("close", (code) =>
        end(() => {
          if (code === 0) resolve(Buffer.concat(stdout).toString("utf8"));
          else if (signal.aborted) reject(signal.reason);
          else reject(new HomelabError("E_HELM", `helm ${args[0]} ${args[1]} failed (exit code ${code}): ${stderr.trim()}`));
        }),
      );
      // Helm may end without having read its input; its exit code says why.
      child.stdin.on("error", () => undefined);
      child.stdin.end(stdin);
    });
  }

  async #withFolder<T>(signal: AbortSignal, work: (run: Run, folder: string) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-helm-"));
    try {
      // Helm reads a kubeconfig only from a file. Only this user can read it, and it is removed when helm has ended.
      fs.writeFileSync(path.join(folder, "kubeconfig"), this.kubeconfig, { mode: 0o600 });
      return await work((args, stdin) => this.#spawn(folder, args, stdin, signal), folder);
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  }

  /** The arguments of helm that name the chart. */
  async #chart({ chart, repository }: ReleaseSpec, folder: string, run: Run): Promise<string[]> {
    const { repo: url, ...credentials } = repository;
    if (!needsLogin(repository)) return [chart, ...(url === undefined ? [] : ["--repo", url])];
    const host = registryHost(url ?? chart);
    if (host !== undefined) {
      const auth = Buffer.from(`${credentials.username ?? ""}:${credentials.password ?? ""}`).toString("base64");
      fs.writeFileSync(path.join(folder, "registry.json"), JSON.stringify({ auths: { [host]: { auth } } }), { mode: 0o600 });
      const files = options({ "ca-file": credentials.caFile, "cert-file": credentials.certFile, "key-file": credentials.keyFile });
      return [url === undefined ? chart : `${url.replace(/\/$/, "")}/${chart}`, ...files];
    }
    if (url === undefined) throw new HomelabError("E_HELM", `chart ${chart}: repositoryOpts has credentials, and no repo`, { subject: chart });
    const file = path.join(folder, "repositories.yaml");
    fs.writeFileSync(file, portableYaml({ apiVersion: "", repositories: [{ name: REPOSITORY, url, ...credentials }] }), { mode: 0o600 });
    await run(["repo", "update"], "");
    return [`${REPOSITORY}/${chart}`];
  }

  render(spec: ReleaseSpec, signal: AbortSignal): Promise<Manifest[]> {
    return this.#withFolder(signal, async (run, folder) => {
      const chart = await this.#chart(spec, folder, run);
      const text = await run(
        [...upgradeArguments({ ...spec, atomic: false, skipAwait: true }, chart), "--dry-run=server", "--output", "json"],
        portableYaml(spec.values),
      );
      const { manifest } = dryRunSchema.parse(JSON.parse(text));
      return manifestsIn(manifest);
    });
  }

  apply(spec: ReleaseSpec, signal: AbortSignal): Promise<void> {
    return this.#withFolder(signal, async (run, folder) => {
      const chart = await this.#chart(spec, folder, run);
      await run(upgradeArguments(spec, chart), portableYaml(spec.values));
    });
  }

  remove({ name, namespace, timeout, disableWebhooks }: ReleaseName, signal: AbortSignal): Promise<void> {
    const given = flags({ "no-hooks": disableWebhooks });
    return this.#withFolder(signal, async (run) => {
      await run(["uninstall", name, "--namespace", namespace, "--wait", "--ignore-not-found", "--timeout", `${timeout}s`, ...given], "");
    });
  }
}
