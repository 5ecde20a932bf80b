/** Kubernetes auth: the method's configuration and its roles. */
import { defineBridged } from "../../sdk/bridged";
import { bool, list, map, num, set, str } from "../../sdk/schema";
import type { Json, JsonObject } from "../../sdk/values";
import type { VaultClient } from "../client";
import { asString, changes, fromVault, toVault, trimSlashes } from "./values";

const backendOf = (inputs: JsonObject): string => trimSlashes(asString(inputs["backend"]));
const sameButSlash = (a: unknown, b: unknown): boolean => trimSlashes(String(a)) === trimSlashes(String(b));
const backend = str({ default: "kubernetes", replace: true, equal: sameButSlash });

const CONFIG = ["kubernetesHost", "kubernetesCaCert", "issuer", "disableIssValidation", "disableLocalCaJwt", "useAnnotationsAsAliasMetadata"];

async function writeConfig(inputs: JsonObject, client: VaultClient, signal: AbortSignal): Promise<void> {
  const pemKeys = inputs["pemKeys"];
  const body: JsonObject = {
    ...toVault(inputs, [...CONFIG, "tokenReviewerJwt"]),
    ...(Array.isArray(pemKeys) ? { pem_keys: pemKeys.map(String).join(",") } : {}),
  };
  // An empty token would remove the one that Vault uses. A token that is not given is left out.
  if (body["token_reviewer_jwt"] === "") delete body["token_reviewer_jwt"];
  await client.write(`auth/${backendOf(inputs)}/config`, body, { signal });
}

const configPath = (inputs: JsonObject): string => `auth/${backendOf(inputs)}/config`;
const rolePath = (inputs: JsonObject): string => `auth/${backendOf(inputs)}/role/${trimSlashes(asString(inputs["roleName"]))}`;

export const kubernetesAuthConfig = defineBridged<VaultClient>({
  token: "vault:kubernetes/authBackendConfig:AuthBackendConfig",
  fields: {
    backend,
    kubernetesHost: str({ required: true }),
    kubernetesCaCert: str({ computed: true }),
    tokenReviewerJwt: str({ default: "" }),
    pemKeys: list(str()),
    issuer: str(),
    disableIssValidation: bool({ computed: true }),
    disableLocalCaJwt: bool({ computed: true }),
    useAnnotationsAsAliasMetadata: bool({ computed: true }),
  },
  computed: ["kubernetesCaCert", "disableIssValidation", "disableLocalCaJwt", "useAnnotationsAsAliasMetadata"],
  secretInputs: ["tokenReviewerJwt"],
  secretOutputs: ["tokenReviewerJwt"],
  idOf: configPath,
  async create(inputs, { provider, signal }) {
    await writeConfig(inputs, provider, signal);
    return { id: configPath(inputs) };
  },
  async read(id, _known, { provider, signal }) {
    const found = await provider.read(id, { signal });
    if (found === undefined) return undefined;
    return { backend: id.replace(/^auth\//, "").replace(/\/config$/, ""), ...fromVault(found, [...CONFIG, "pemKeys"]) };
  },
  update: (_id, { olds, news }, { provider, signal }) => {
    const gone = Object.fromEntries(
      ["issuer", "pemKeys"].filter((name) => name in olds && !(name in news)).map((name): [string, Json] => [name, name === "pemKeys" ? [] : ""]),
    );
    return writeConfig({ ...gone, ...news }, provider, signal);
  },
  // Vault cannot delete the configuration of an auth method; it goes with the method.
  delete: async () => undefined,
});

const ROLE = [
  "boundServiceAccountNames",
  "boundServiceAccountNamespaces",
  "audience",
  "aliasNameSource",
  "aliasMetadata",
  "tokenBoundCidrs",
  "tokenExplicitMaxTtl",
  "tokenMaxTtl",
  "tokenNoDefaultPolicy",
  "tokenNumUses",
  "tokenPeriod",
  "tokenPolicies",
  "tokenTtl",
  "tokenType",
];

export const kubernetesAuthRole = defineBridged<VaultClient>({
  token: "vault:kubernetes/authBackendRole:AuthBackendRole",
  nameProperty: "roleName",
  fields: {
    backend,
    roleName: str({ required: true, replace: true }),
    boundServiceAccountNames: set(str(), { required: true }),
    boundServiceAccountNamespaces: set(str()),
    boundServiceAccountNamespaceSelector: str(),
    audience: str({ default: "" }),
    aliasNameSource: str({ computed: true }),
    aliasMetadata: map(),
    tokenBoundCidrs: set(str()),
    tokenExplicitMaxTtl: num(),
    tokenMaxTtl: num(),
    tokenNoDefaultPolicy: bool(),
    tokenNumUses: num(),
    tokenPeriod: num(),
    tokenPolicies: set(str()),
    tokenTtl: num(),
    tokenType: str({ default: "default" }),
  },
  computed: ["aliasNameSource"],
  idOf: rolePath,
  async create(inputs, { provider, signal }) {
    const id = rolePath(inputs);
    const body = toVault(inputs, ROLE);
    if (body["audience"] === "") delete body["audience"];
    body["bound_service_account_namespace_selector"] = asString(inputs["boundServiceAccountNamespaceSelector"]);
    await provider.write(id, body, { signal });
    return { id };
  },
  async read(id, _known, { provider, signal }) {
    const found = await provider.read(id, { signal });
    if (found === undefined) return undefined;
    const [, mount = "", roleName = ""] = /^auth\/(.+)\/role\/(.+)$/.exec(id) ?? [];
    return { backend: mount, roleName, ...fromVault(found, [...ROLE, "boundServiceAccountNamespaceSelector"]) };
  },
  async update(id, { olds, news }, { provider, signal }) {
    const always = toVault(news, ["boundServiceAccountNames", "boundServiceAccountNamespaces"]);
    const selector = asString(news["boundServiceAccountNamespaceSelector"]);
    await provider.write(id, { ...changes(olds, news, ROLE), ...always, bound_service_account_namespace_selector: selector }, { signal });
  },
  delete: (id, _outputs, { provider, signal }) => provider.remove(id, { signal }),
});
