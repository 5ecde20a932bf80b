/** A stack's platform for tests of its plan, with rows, clusters and modules that have only what the test gives. */
import { MODULES } from "../../components/platform/catalogue";
import { defineModule, type Module, type ModuleParts, noOptions } from "../../components/platform/module";
import { planPlatform } from "../../stacks/plan/platform";
import type { ChosenModule, PlannedApplication, PlatformInput } from "../../stacks/plan/platform-types";

const ENTRIES = new Map([
  ["cloudflare", ["api-token"]],
  ["cluster-secret-store/secrets/EXTERNAL_DNS_PIHOLE_PASSWORD", ["PIHOLE_PASSWORD"]],
  ["cluster-secret-store/secrets/MINIO", ["rootUser", "rootPassword"]],
]);

export const K3S = {
  distribution: "k3s",
  title: "k3s",
  version: "v1.36.2+k3s1",
  capabilities: ["ingress", "load-balancer"],
  storageClasses: ["local-path"],
  ingressClasses: ["traefik"],
} as const;
export const KUBEADM = { distribution: "kubeadm", title: "kubeadm", version: "v1.33.0", capabilities: [], storageClasses: [], ingressClasses: [] } as const;

export const input = (row: PlatformInput["row"], more: Partial<PlatformInput> = {}): PlatformInput => ({
  row,
  place: {
    environment: "dev",
    domain: "example.org",
    contact: "a@example.org",
    ingressClass: "traefik",
    storageClass: "local-path",
    piholeUrl: "http://10.0.0.3",
    vaultAddress: "https://vault.example.org",
    vaultByOwnAuthority: false,
    entries: ENTRIES,
    ownEntries: new Map(),
    deliversTo: [],
    ageRecipients: [],
  },
  cluster: K3S,
  applications: [],
  machines: [{ name: "k8s-dev", cores: 4, memoryMiB: 8192, diskGiB: 100 }],
  network: { subnet: "10.0.0.0/24", nodes: ["10.0.0.12"] },
  given: new Map(),
  addresses: new Map([["10.0.0.12", "k8s-dev"]]),
  ...more,
});

export const ALL = { "cert-manager": {}, "cluster-access": {}, "external-secrets": {}, "external-dns": {} };
export const VAULT = new Map([["vault", "tools"]]);
export const names = (given: PlatformInput, catalogue: readonly Module[] = MODULES) => planPlatform(given, catalogue).modules.map(({ name }) => name);

/** The messages of a platform that is refused. */
export function problemsOf(run: () => unknown): string[] {
  try {
    run();
  } catch (thrown) {
    expect(thrown).toMatchObject({ name: "HomelabError", code: "E_PLATFORM" });
    const [head = "", ...lines] = (thrown as Error).message.split("\n  ");
    return lines.length === 0 ? [head] : lines;
  }
  throw new Error("it was not refused");
}

export const notBuilt = (): never => {
  throw new Error("a plan builds nothing");
};

/** A module that has only the given parts. */
export const made = (
  name: string,
  parts: Partial<ModuleParts> = {},
  spec: Partial<Pick<Module, "provides" | "brings" | "crds" | "defaultCredentials" | "charts">> = {},
): Module => defineModule({ name, summary: "of a test", options: noOptions, parts: () => parts, build: notBuilt, ...spec });

/** The same module, chosen in a row. */
export const chosen = (name: string, parts: Partial<ModuleParts>): ChosenModule => {
  const module = made(name, parts);
  return { module, options: {}, parts: module.parts({}, {} as never) };
};

export const app = (name: string, hosts: readonly string[], namespace = name): PlannedApplication => ({
  name,
  namespace,
  hosts: hosts.map((host) => ({ name: host, serves: "pages", route: "ingress" })),
  flows: [],
  podSecurity: "restricted",
  secrets: [],
  requests: { replicas: 1, cpu: "100m", memory: "128Mi" },
});
