/** Builds one module as the platform does, with the stand-in for the engine. */
import { Provider as CommandProvider } from "@pulumi/command/provider";
import { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider";
import * as pulumi from "@pulumi/pulumi";
import { Provider as VaultProvider } from "@pulumi/vault/provider";
import { ClusterContext, type ContextArgs, type Given, type ProgramSecrets } from "../../components/platform/context";
import type { Module } from "../../components/platform/module";
import type { Place } from "../../components/platform/place";
import { mockEngine, only, type Registered, settle } from "./pulumi-mocks";

export const PLACE: Place = {
  environment: "dev",
  domain: "example.org",
  contact: "a@example.org",
  ingressClass: "traefik",
  routes: { kind: "ingress", className: "traefik" },
  distribution: "k3s",
  storageClass: "local-path",
  piholeUrl: "http://10.0.0.3",
  vaultAddress: "https://vault.example.org",
  vaultByOwnAuthority: false,
  entries: new Map([["store/A", ["one", "two"]]]),
  ownEntries: new Map(),
  ageRecipients: ["age10gl6ujwh0wrkw6et503urkckg8llhp9rjuec9kdthxyz9zyyuc4qwfnyfn"],
  deliversTo: [],
  kinds: [],
  hostNames: ["b.example.org", "dev.a.example.org"],
  routeNames: ["b.example.org", "dev.a.example.org"],
};

const SECRETS: ProgramSecrets = {
  get: (path, key) => pulumi.secret(`${path} ${key}`),
  all: () => new Map([["cloudflare", { "api-token": "t0ken" }]]),
  own: () => new Map(),
};

export interface ModuleCase {
  options?: object;
  place?: Partial<Place>;
  secrets?: Partial<ProgramSecrets>;
  grants?: ContextArgs["grants"];
  /** What other modules give, beside a Vault, an issuer and an auth mount. */
  given?: Given;
}

const PROVIDERS = ["given-cluster", "given-vault", "given-command"];

/** The resources that `make` registers, without its providers. */
export async function registeredOf(
  make: (providers: { kubernetes: KubernetesProvider; vault: VaultProvider; command: CommandProvider }) => void,
): Promise<Registered[]> {
  const registered = await mockEngine();
  make({
    kubernetes: new KubernetesProvider("given-cluster", { kubeconfig: "{}" }),
    vault: new VaultProvider("given-vault", { address: "https://vault" }),
    command: new CommandProvider("given-command"),
  });
  await settle(registered);
  return registered.filter(({ type, name }) => !(type.startsWith("pulumi:providers:") && PROVIDERS.includes(name)));
}

/** The resources that a module registers with these options. */
export const builtModule = (module: Module, { options = {}, place, secrets, grants, given }: ModuleCase = {}): Promise<Registered[]> =>
  registeredOf(({ kubernetes, vault, command }) => {
    const context = new ClusterContext({
      place: { ...PLACE, ...place },
      cluster: { provider: kubernetes, endpoint: "https://10.0.0.12:6443", ca: "PEM", kubeconfig: pulumi.secret("kubeconfig"), instance: "02:00" },
      command,
      secrets: { ...SECRETS, ...secrets },
      checkout: "/checkout",
      grants: grants ?? [],
      namespaces: new Map(module.parts(module.options.parse(options), { ...PLACE, ...place }).namespaces.map((name) => [name, { name }])),
      given: {
        issuer: pulumi.output("letsencrypt-prod"),
        authMount: pulumi.output("kubernetes/dev"),
        vault: { address: "https://vault.example.org", mount: "kv", id: "id-of-vault", provider: vault },
        ...given,
      },
    });
    module.build()(module.name, { options: module.options.parse(options), context }, { providers: context.providers() });
  });

const lastOf = (reference: string | undefined): string => reference?.split("::")[3] ?? "";

/**
 * For each resource that is not a component, in the order of registration: its provider, and the resources that it waits for, without
 * components.
 */
export function graphOf(registered: readonly Registered[]): Record<string, string> {
  const custom = registered.filter((resource) => resource.custom);
  const names = custom.map(({ name }) => name);
  return Object.fromEntries(
    custom.map(({ type, name, provider, dependencies }) => {
      const waits = [...new Set(dependencies.map((urn) => urn.split("::").at(-1) ?? ""))].filter((other) => names.includes(other)).toSorted();
      return [`${type} ${name}`, `${lastOf(provider)}${waits.length === 0 ? "" : ` after ${waits.join(", ")}`}`];
    }),
  );
}

/** The inputs of the module's only Helm release. */
export const releaseOf = (registered: readonly Registered[]): Record<string, unknown> => only(registered, "kubernetes:helm.sh/v3:Release").inputs;

/** Inputs that every release has beside its name, namespace and values. */
export const releaseDefaults = { compat: "true", skipAwait: false, atomic: true, timeout: 600 } as const;
