/** What each namespace wants from Vault: its module registers the Secrets, and the stack of Vault the policy. Loads no Pulumi SDK. */
import { storePath } from "../../common/vault-layout";
import { entryPath, type Place } from "./place";
import type { NamespaceGrant } from "./vault/vault-names";

/** A Kubernetes Secret of a namespace with values that it names. */
export interface WantedSecret {
  /** Name of the Kubernetes Secret. */
  name: string;
  /** Of the Kubernetes Secret, for a program that looks for its own ones by them. */
  labels?: Readonly<Record<string, string>>;
  /** Key in the Secret to the entry's path below the mount and the key there. */
  data: Record<string, { path: string; key: string }>;
  /**
   * In the place of the values themselves: what the Secret has, as texts with `{{ .key }}` for a key of {@link data}
   * (https://external-secrets.io/latest/guides/templating/).
   */
  texts?: Readonly<Record<string, string>>;
  /** true: the Secret goes when Vault has none of its entries, which is no error then. Default: it stays, and a missing entry is one. */
  mayBeMissing?: true;
}

/** What such a Secret is made by: modules, or what modules provide. */
export const SECRETS_FROM = ["external-secrets", "cluster-access"] as const;

/** @param place of the namespace: where Vault keeps an entry for it */
export const namespaceGrant = (namespace: string, secrets: readonly WantedSecret[], place: Pick<Place, "ownEntries">): NamespaceGrant => ({
  namespace,
  role: namespace,
  reader: "vault-reader",
  paths: secrets.flatMap(({ data }) => Object.values(data).map(({ path }) => entryPath(place, path))),
});

/** Key of external-dns's Secret, by which the program calls it in its environment. */
export const PIHOLE_PASSWORD_KEY = "EXTERNAL_DNS_PIHOLE_PASSWORD";

export const EXTERNAL_DNS = {
  namespace: "external-dns",
  password: {
    name: "external-dns-pihole",
    data: { [PIHOLE_PASSWORD_KEY]: { path: storePath("EXTERNAL_DNS_PIHOLE_PASSWORD"), key: "PIHOLE_PASSWORD" } },
  },
} as const satisfies { namespace: string; password: WantedSecret };

/** Where the account is by which Vault asks the cluster about tokens. */
export const VAULT_ACCESS_NAMESPACE = "vault-access";
/** Where External Secrets runs. */
export const EXTERNAL_SECRETS_NAMESPACE = "external-secrets";
/** Name of the shared Secret, and the label of the namespaces that get it, as in the system before this one. */
export const SHARED_SECRET = "cluster-secrets";

/** Of the one identity that reads for the shared Secret. @param paths of its entries, below the mount */
export const sharedGrant = (paths: readonly string[]): NamespaceGrant => ({
  namespace: EXTERNAL_SECRETS_NAMESPACE,
  role: SHARED_SECRET,
  reader: "vault-shared-reader",
  paths,
});
