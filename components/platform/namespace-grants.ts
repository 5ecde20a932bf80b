/** What each namespace wants from Vault: its module registers the Secrets, and the stack of Vault the policy. Loads no Pulumi SDK. */
import { storePath } from "../../common/vault-layout";
import { entryPath, type Place } from "./place";
import type { NamespaceGrant } from "./vault/vault-names";

/** A Kubernetes Secret of a namespace with values that it names. */
export interface WantedSecret {
  /** Name of the Kubernetes Secret. */
  name: string;
  /** Labels of the Kubernetes Secret, for a program that finds its Secrets by labels. */
  labels?: Readonly<Record<string, string>>;
  /** Key in the Secret to the entry's path below the mount and the key there. */
  data: Record<string, { path: string; key: string }>;
  /**
   * Content of the Secret, instead of the plain values: texts with `{{ .key }}` for a key of {@link data}
   * (https://external-secrets.io/latest/guides/templating/).
   */
  texts?: Readonly<Record<string, string>>;
  /** true: when Vault does not have its entries, the Secret is deleted, and that is no error. Default: it stays, and that is an error. */
  mayBeMissing?: true;
}

/** Modules that such a Secret needs. */
export const SECRETS_FROM = ["external-secrets", "cluster-access"] as const;

/** @param place decides at which path Vault keeps an entry for the namespace */
export const namespaceGrant = (namespace: string, secrets: readonly WantedSecret[], place: Pick<Place, "ownEntries">): NamespaceGrant => ({
  namespace,
  role: namespace,
  reader: "vault-reader",
  paths: secrets.flatMap(({ data }) => Object.values(data).map(({ path }) => entryPath(place, path))),
});

/** Key of external-dns's Secret. It is also the environment variable that external-dns reads. */
export const PIHOLE_PASSWORD_KEY = "EXTERNAL_DNS_PIHOLE_PASSWORD";

export const EXTERNAL_DNS = {
  namespace: "external-dns",
  password: {
    name: "external-dns-pihole",
    data: { [PIHOLE_PASSWORD_KEY]: { path: storePath("EXTERNAL_DNS_PIHOLE_PASSWORD"), key: "PIHOLE_PASSWORD" } },
  },
} as const satisfies { namespace: string; password: WantedSecret };

/** Namespace of the account that Vault uses to review tokens. */
export const VAULT_ACCESS_NAMESPACE = "vault-access";
/** Namespace of External Secrets. */
export const EXTERNAL_SECRETS_NAMESPACE = "external-secrets";
/** Name of the shared Secret, and the label of the namespaces that get it, as in the original system. */
export const SHARED_SECRET = "cluster-secrets";

/** What the identity for the shared Secret may read. @param paths of its entries, below the mount */
export const sharedGrant = (paths: readonly string[]): NamespaceGrant => ({
  namespace: EXTERNAL_SECRETS_NAMESPACE,
  role: SHARED_SECRET,
  reader: "vault-shared-reader",
  paths,
});
