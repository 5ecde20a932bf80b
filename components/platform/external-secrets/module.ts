import { defineModule, noOptions } from "../module";
import { EXTERNAL_SECRETS_NAMESPACE } from "../namespace-grants";
import { EXTERNAL_SECRETS_CHART, externalSecretsValues } from "./values";

const GROUP = "external-secrets.io";
const STORES = ["clusterexternalsecrets", "clusterpushsecrets", "clustersecretstores", "externalsecrets", "pushsecrets", "secretstores"];
const GENERATORS = [
  "acraccesstokens",
  "beyondtrustworkloadcredentialsdynamicsecrets",
  "cloudsmithaccesstokens",
  "clustergenerators",
  "ecrauthorizationtokens",
  "fakes",
  "gcraccesstokens",
  "generatorstates",
  "githubaccesstokens",
  "gitlabdeploytokens",
  "grafanas",
  "mfas",
  "passwords",
  "quayaccesstokens",
  "sshkeys",
  "stssessiontokens",
  "uuids",
  "vaultdynamicsecrets",
  "webhooks",
];

export const externalSecrets = defineModule({
  name: "external-secrets",
  summary: "copies entries of Vault into Kubernetes Secrets, for each namespace what it names",
  charts: { "external-secrets": EXTERNAL_SECRETS_CHART },
  options: noOptions,
  crds: [...STORES.map((kind) => `${kind}.${GROUP}`), ...GENERATORS.map((kind) => `${kind}.generators.${GROUP}`)],
  parts: (_, { vaultAddress }) => ({
    namespaces: [EXTERNAL_SECRETS_NAMESPACE],
    flows: [
      { direction: "out", peer: "cluster", port: 6443, why: "reads ExternalSecrets, writes Secrets" },
      { direction: "out", peer: vaultAddress, port: 443, why: "reads the entries" },
      { direction: "in", peer: "cluster", port: 10250, why: "the API asks the webhook about each store and ExternalSecret" },
    ],
    workloads: [{ name: "controller", cpu: "10m", memory: "64Mi" }, { name: "webhook" }, { name: "cert-controller" }],
    values: { "external-secrets": externalSecretsValues() },
  }),
  build: () => (require("./external-secrets") as typeof import("./external-secrets")).buildExternalSecrets,
});
