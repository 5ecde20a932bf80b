import { defineModule, type Flow } from "../module";
import { POSTGRES_NAMESPACE, POSTGRES_PORT } from "../postgres/values";
import { harborOptions, ownSecrets, REMOTES } from "./options";
import {
  CREDENTIALS_SECRET,
  HARBOR_CHART,
  HARBOR_NAMESPACE,
  HARBOR_PORT,
  HARBOR_VALKEY_IMAGE,
  harborValues,
  INNER_PORTS,
  SIZES,
  TRIVY_WORKLOAD,
  VALKEY_WORKLOAD,
  WORKLOADS,
} from "./values";

const inside = (port: number, why: string): Flow => ({ direction: "in", peer: HARBOR_NAMESPACE, port, why });
const isOurs = (value: unknown): boolean => value === CREDENTIALS_SECRET;
/** Where Trivy fetches its vulnerability database. */
const TRIVY_LIST = "https://mirror.gcr.io";

export const harbor = defineModule({
  name: "harbor",
  summary: "images at registry.<domain>: projects, accounts for pipelines, copies of what is pulled from other registries, and rules for deletion",
  charts: { harbor: HARBOR_CHART },
  images: [HARBOR_VALKEY_IMAGE],
  options: harborOptions,
  provides: ["registry"],
  defaultCredentials: [
    { path: "existingSecretAdminPassword", is: 'a user "admin" with the password of the chart', off: isOurs },
    { path: "existingSecretSecretKey", is: "a key for what it encrypts that everybody knows", off: isOurs },
    { path: "registry.credentials.existingSecret", is: "a user of the registry inside with the password of the chart", off: isOurs },
  ],
  exceptions: [
    { rule: "read-only-root", why: "its parts write their configuration beside their programs" },
    { rule: "liveness-apart", why: "the chart asks the same path of each part for both, and lets nobody change it" },
  ],
  parts: ({ storageClass: own, host: short, size, scan, projects, robots, database, path, first }, { domain, storageClass, ingressClass }) => {
    const host = `${short}.${domain}`;
    const remotes = [...new Set(Object.values(projects).flatMap(({ proxyOf }) => (proxyOf === undefined ? [] : REMOTES[proxyOf].reaches)))];
    return {
      namespaces: [HARBOR_NAMESPACE],
      needs: ["sql", "certificates"],
      cluster: ["ingress"],
      storageClasses: [own ?? storageClass],
      ingressClasses: [ingressClass],
      hosts: [{ name: host, serves: "Harbor: its pages, its API and the registry", route: "ingress" }],
      programSecrets: [
        ...ownSecrets({ path, first }).map((one) => ({ ...one, why: "the Secrets that its parts read" })),
        ...Object.values(robots).map(({ path: entry, key }) => ({ path: entry, key, why: "the secret of one of its accounts" })),
      ],
      flows: [
        { direction: "in", peer: "routes", port: HARBOR_PORT, why: "pages, API and images" },
        inside(INNER_PORTS.parts, "its parts ask one another"),
        inside(INNER_PORTS.registry, "core and proxy hand on what is pushed and pulled"),
        inside(INNER_PORTS.valkey, "sessions, and the queues of jobs"),
        { direction: "out", peer: POSTGRES_NAMESPACE, port: POSTGRES_PORT, why: "its database" },
        ...remotes.map((peer): Flow => ({ direction: "out", peer, port: 443, why: "fetches what is pulled through it" })),
        ...(scan ? [{ direction: "out" as const, peer: TRIVY_LIST, port: 443, why: "fetches the database of known vulnerabilities" }] : []),
      ],
      workloads: [...WORKLOADS, ...(scan ? [TRIVY_WORKLOAD] : []), VALKEY_WORKLOAD],
      volumes: [
        { name: "images", size },
        { name: "logs of jobs", size: SIZES.jobLog },
        { name: "queues", size: SIZES.valkey, disposable: true },
        ...(scan ? [{ name: "vulnerability database", size: SIZES.trivy, disposable: true as const }] : []),
      ],
      values: {
        harbor: harborValues({ host, storageClass: own ?? storageClass, size, scan, database, credentialMark: "<digest of the credentials>" }),
      },
    };
  },
  build: () => (require("./harbor") as typeof import("./harbor")).buildHarbor,
});
