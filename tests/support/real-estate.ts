/**
 * Two stacks on real servers. `tools` has the program's Vault, its grants and the secrets of Git; `dev` has its cluster's access to Vault
 * and namespaces that ask for Secrets. The program and the providers of this checkout create all objects. The pods of Vault and of
 * External Secrets are processes. The lab serves the chart of Vault, and is the network on which Vault has its name.
 */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Provider as CommandProvider } from "@pulumi/command/provider";
import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider";
import * as pulumi from "@pulumi/pulumi";
import { type EngineEvent, LocalWorkspace, type OutputMap, PulumiCommand, type PulumiFn, type Stack } from "@pulumi/pulumi/automation";
import { Provider as VaultProvider } from "@pulumi/vault/provider";
import { Agent } from "undici";
import { z } from "zod";
import { KV_MOUNT } from "../../common/vault-layout";
import { Namespace } from "../../components/base/namespace";
import { clusterAccess } from "../../components/platform/cluster-access/module";
import { ClusterContext, type Given } from "../../components/platform/context";
import { EXTERNAL_SECRETS_API } from "../../components/platform/external-secrets/values";
import { namespaceGrant, type WantedSecret } from "../../components/platform/namespace-grants";
import { SecretAccess } from "../../components/platform/secret-access";
import { vault as vaultModule } from "../../components/platform/vault/module";
import type { StackGrant } from "../../components/platform/vault/vault-names";
import { vaultEntries } from "../../components/platform/vault-entries/module";
import { startArtefacts } from "../../lab/artefacts";
import { createContext, type OwnedContext } from "../../lab/core/context";
import { startConnectProxy } from "../../lab/gateway";
import { loadSecrets } from "../../secrets/load";
import { recipientsFor } from "../../secrets/sops-config";
import { encryptSopsFile } from "../../secrets/sops-file";
import { treeAt } from "../../secrets/vault-paths";
import { type RealControllers, startRealControllers } from "./real-controllers";
import { type KubernetesPrograms, type RealKubernetes, startRealKubernetes } from "./real-kubernetes";
import { keepStatus, ROUTES_READY } from "./real-status";
import type { RealVault } from "./real-vault";
import { type CommandResult, runCommand, startCommand } from "./run-command";

const ROOT = path.resolve(__dirname, "../..");
const HOST = "vault.homelab.test";
const VAULT_ADDRESS = `https://${HOST}`;
const AGE_KEY = path.join(ROOT, "secrets", "lab-only.agekey");
const PROJECT = "real-estate";
const NO_OWN = { ownEntries: new Map<string, string>(), ageRecipients: [] };
/** How often External Secrets polls, instead of the program's minute. */
const LOOK_EVERY = "2s";
const entrySchema = z.looseObject({ data: z.looseObject({ data: z.unknown() }).optional() });

/** The secrets that a namespace of dev asks for. `granted`: whether tools gives it a role in Vault. */
interface WantingNamespace {
  name: string;
  secrets: readonly WantedSecret[];
  granted: boolean;
}

interface EstateOptions {
  programs: KubernetesPrograms;
  namespaces: readonly WantingNamespace[];
  /** More ExternalSecrets of dev, which should get nothing: the namespace, the store that they use, the entry and its key. */
  intruders?: readonly { namespace: string; store: string; path: string; key: string }[];
}

const looksOften: pulumi.ResourceTransformation = ({ type, props, opts }) =>
  type.endsWith(":ExternalSecret") ? { props: { ...props, spec: { ...props.spec, refreshInterval: LOOK_EVERY } }, opts } : undefined;

export class RealEstate {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab real-estate-"));
  readonly #secrets = path.join(this.folder, "secrets");
  readonly #undo: (() => Promise<unknown>)[] = [];
  #env: Record<string, string> = {};
  tools!: RealKubernetes;
  dev!: RealKubernetes;
  controllers!: RealControllers;
  ctx!: OwnedContext;

  private constructor(private readonly options: EstateOptions) {}

  static async start(options: EstateOptions): Promise<RealEstate> {
    const estate = new RealEstate(options);
    try {
      await estate.#start();
    } catch (error) {
      await estate.stop().catch(() => undefined);
      throw error;
    }
    return estate;
  }

  async #start(): Promise<void> {
    for (const name of ["secrets/common", "keys", "state", "home", "work", "audit"]) fs.mkdirSync(path.join(this.folder, name), { recursive: true });
    fs.chmodSync(path.join(this.folder, "keys"), 0o700);
    this.ctx = await createContext();
    const artefacts = await startArtefacts(this.ctx);
    this.#undo.push(() => artefacts.stop());
    const proxy = await startConnectProxy(this.ctx, 0);
    this.#undo.push(() => proxy.stop());
    const ca = path.join(this.folder, "ca.pem");
    fs.writeFileSync(ca, this.ctx.tls.caPem);
    const proxyUrl = `http://127.0.0.1:${proxy.port}`;
    const network = { HTTPS_PROXY: proxyUrl, https_proxy: proxyUrl, SSL_CERT_FILE: ca, NODE_EXTRA_CA_CERTS: ca };
    this.#env = {
      ...network,
      PULUMI_HOME: path.join(this.folder, "home"),
      PULUMI_BACKEND_URL: `file://${path.join(this.folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "real estate",
      HOMELAB_SECRETS_DIR: this.#secrets,
      HOMELAB_VAULT_KEYS_DIR: path.join(this.folder, "keys"),
      HOMELAB_CHART_STAND_IN: artefacts.chartStandIn,
      SOPS_AGE_KEY_FILE: AGE_KEY,
    };
    fs.writeFileSync(path.join(this.folder, "work", "Pulumi.yaml"), `name: ${PROJECT}\nruntime: nodejs\n`);

    const clusters = [0, 1].map(async () => {
      const cluster = await startRealKubernetes(this.options.programs);
      this.#undo.push(() => cluster.stop());
      return cluster;
    });
    // After a failure of one, the other is awaited too, so that both are stopped.
    await Promise.allSettled(clusters);
    [this.tools, this.dev] = (await Promise.all(clusters)) as [RealKubernetes, RealKubernetes];
    this.controllers = await startRealControllers(this.dev, { vault: { tls: await this.ctx.tls.issue([HOST]) }, externalSecrets: { env: network } });
    this.#undo.push(() => this.controllers.stop());
    this.ctx.network.listen(HOST, 443, { port: this.vault.port });
    const routes = keepStatus(this.tools, ROUTES_READY);
    this.#undo.push(() => routes.stop());
  }

  get vault(): RealVault {
    if (this.controllers.vault === undefined) throw new Error("the estate has no Vault");
    return this.controllers.vault;
  }

  /** One file of `secrets/common`, encrypted as `homelab secrets` does. @param entry path in Vault */
  writeSecret(entry: string, values: Record<string, string>): void {
    const file = path.join(this.#secrets, "common", `${entry}.yaml`);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, encryptSopsFile(treeAt(entry, values), recipientsFor(`secrets/common/${entry}.yaml`), new Date()));
  }

  /** The process that `homelab vault <verb>` starts. */
  async vaultCommand(verb: "unseal" | "root" | "revoke", input = ""): Promise<CommandResult> {
    const env = { PATH: process.env["PATH"], VAULT_ADDR: VAULT_ADDRESS, ...this.#env };
    return runCommand(startCommand("secrets/vault.main.js", [verb], { env }), input);
  }

  /** Reads entries of Vault with a new root token, which is revoked afterwards. @param entries paths; a missing entry is undefined */
  async readEntries(entries: readonly string[]): Promise<Map<string, unknown>> {
    const made = await this.vaultCommand("root");
    if (made.code !== 0) throw new Error(made.err);
    const { token } = z.object({ token: z.string() }).parse(JSON.parse(made.out));
    const agent = new Agent({ connect: { ca: this.ctx.tls.caPem, servername: HOST } });
    try {
      const found = new Map<string, unknown>();
      for (const entry of entries) {
        const { body } = await agent.request({ origin: this.vault.address, path: `/v1/kv/data/${entry}`, method: "GET", headers: { "x-vault-token": token } });
        found.set(entry, entrySchema.parse(await body.json()).data?.data);
      }
      return found;
    } finally {
      await agent.close();
      await this.vaultCommand("revoke", `${token}\n`);
    }
  }

  async up(name: "tools" | "dev", options: { onEvent?: (event: EngineEvent) => void; expectNoChanges?: boolean; refresh?: boolean } = {}): Promise<OutputMap> {
    return (await (await this.#stack(name)).up({ ...options })).outputs;
  }

  async #stack(name: "tools" | "dev"): Promise<Stack> {
    const program: PulumiFn = name === "tools" ? () => this.#tools() : () => this.#dev();
    return LocalWorkspace.createOrSelectStack(
      { stackName: name, projectName: PROJECT, program },
      {
        pulumiCommand: await PulumiCommand.get({ root: path.join(ROOT, "engine") }),
        envVars: this.#env,
        workDir: path.join(this.folder, "work"),
      },
    );
  }

  #grants(): StackGrant[] {
    const namespaces = this.options.namespaces.filter(({ granted }) => granted).map(({ name, secrets }) => namespaceGrant(name, secrets, NO_OWN));
    return [
      { stack: "tools", writesCommon: true, namespaces: [] },
      { stack: "dev", writesCommon: false, namespaces },
    ];
  }

  #context(name: "tools" | "dev", cluster: RealKubernetes, all: ReadonlyMap<string, Readonly<Record<string, string>>>, given: Given): ClusterContext {
    return new ClusterContext({
      place: {
        environment: name,
        domain: "homelab.test",
        contact: "owner@homelab.test",
        ingressClass: "traefik",
        routes: { kind: "ingress", className: "traefik" },
        distribution: "k3s",
        storageClass: "local-path",
        piholeUrl: "http://192.0.2.3",
        vaultAddress: VAULT_ADDRESS,
        vaultByOwnAuthority: false,
        entries: new Map(),
        kinds: [],
        deliversTo: [],
        hostNames: [HOST],
        routeNames: [HOST],
        ...NO_OWN,
      },
      cluster: {
        provider: new KubernetesProvider("cluster", { kubeconfig: cluster.kubeconfig }),
        endpoint: cluster.origin,
        ca: cluster.ca,
        kubeconfig: pulumi.secret(cluster.kubeconfig),
        instance: "one",
      },
      secrets: { get: (entry) => pulumi.secret(entry), all: () => all, own: () => new Map() },
      command: new CommandProvider("command", {}),
      checkout: ROOT,
      grants: this.#grants(),
      namespaces: new Map(["vault", "vault-access"].map((own) => [own, { name: own }])),
      given,
    });
  }

  async #tools(): Promise<Record<string, unknown>> {
    const entries = await loadSecrets({ root: this.#secrets, ageKeyFile: AGE_KEY });
    const context = this.#context("tools", this.tools, entries, { issuer: pulumi.output("letsencrypt") });
    const audit = path.join(this.folder, "audit", "audit.log");
    const { gives } = vaultModule.build()(
      "vault",
      { options: vaultModule.options.parse({}), context },
      {
        providers: context.providers(),
        // The volume of Vault's pod is a folder of this test.
        transformations: [
          ({ type, props, opts }) => (type === "vault:index/audit:Audit" ? { props: { ...props, options: { file_path: audit } }, opts } : undefined),
        ],
      },
    );
    const withVault = context.with(gives ?? {});
    vaultEntries.build()("vault-entries", { options: {}, context: withVault }, { providers: withVault.providers() });
    return { vaultId: withVault.need("vaultId"), vaultTokens: withVault.need("vaultTokens") };
  }

  async #dev(): Promise<Record<string, unknown>> {
    const tools = new pulumi.StackReference(`organization/${PROJECT}/tools`);
    const id = tools.requireOutput("vaultId").apply(String);
    const token = pulumi.secret(tools.requireOutput("vaultTokens").apply((tokens) => String((tokens as Record<string, unknown>)["dev"])));
    const provider = new VaultProvider("vault", { address: VAULT_ADDRESS, token, skipChildToken: true });
    const reached = this.#context("dev", this.dev, new Map(), { vault: { address: VAULT_ADDRESS, mount: KV_MOUNT, id, provider } });
    const { gives } = clusterAccess.build()("cluster-access", { options: {}, context: reached }, { providers: reached.providers() });
    const context = reached.with(gives ?? {});
    const kubernetes = context.cluster.provider;
    const made = new Map(
      this.options.namespaces.map(({ name, secrets }) => {
        const { namespace } = new Namespace(name, { name }, { provider: kubernetes });
        return [name, new SecretAccess(name, context.secrets(name, namespace, secrets), { provider: kubernetes, transformations: [looksOften] })] as const;
      }),
    );
    for (const { namespace, store, path: entry, key } of this.options.intruders ?? []) {
      const spec = {
        refreshInterval: LOOK_EVERY,
        secretStoreRef: { kind: "ClusterSecretStore", name: store },
        target: { name: "intruder" },
        data: [{ secretKey: "value", remoteRef: { key: entry, property: key } }],
      };
      new CustomResource(
        `${namespace}-intruder`,
        { apiVersion: EXTERNAL_SECRETS_API, kind: "ExternalSecret", metadata: { name: "intruder", namespace }, spec },
        { provider: kubernetes, dependsOn: [...made.values()] },
      );
    }
    return {};
  }

  /** Stops everything, each server by its id. @throws the first failure, after every step was tried */
  async stop(): Promise<void> {
    const failures: unknown[] = [];
    for (const step of this.#undo.splice(0).reverse()) await step().catch((error: unknown) => failures.push(error));
    fs.rmSync(this.folder, { recursive: true, force: true });
    if (failures.length > 0) throw failures[0];
  }
}
