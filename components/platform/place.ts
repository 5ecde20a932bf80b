/** Where modules run, as data. Loads no Pulumi SDK. */
import type { DistributionName } from "../clusters/cluster-types";

/** How routes of an environment are made: by Ingresses of a class, or by VirtualServices of a gateway of Istio (`<namespace>/<name>`). */
export type Routes = { readonly kind: "ingress"; readonly className: string } | { readonly kind: "istio"; readonly gateway: string };

/** The ingress classes that routes of the place need. */
export const routeClasses = ({ routes }: Pick<Place, "routes">): string[] => (routes.kind === "ingress" ? [routes.className] : []);

/** A cluster of another stack, to which the Argo CD of this environment delivers. */
export interface DeliveredCluster {
  readonly stack: string;
  /** `https://<address>:6443` */
  readonly server: string;
  /** Namespaces of the applications that it delivers there; at least one. */
  readonly namespaces: readonly string[];
}

/** Where a module runs, as far as its spec may depend on it. Plain data. */
export interface Place {
  /** Name of the stack. */
  readonly environment: string;
  /** Base of all host names. */
  readonly domain: string;
  /** Mail address that the certificate authority writes to. */
  readonly contact: string;
  /** Class of Ingresses, where a chart makes its own. */
  readonly ingressClass: string;
  /** How routes are made. */
  readonly routes: Routes;
  /** What the cluster is built by. */
  readonly distribution: DistributionName;
  /** Class of volumes, where the options name none. */
  readonly storageClass: string;
  /** URL of Pi-hole. */
  readonly piholeUrl: string;
  /** URL of Vault. */
  readonly vaultAddress: string;
  /** Entries of secrets/ by path below Vault's mount, with the names of their keys. No values. */
  readonly entries: ReadonlyMap<string, readonly string[]>;
  /** Entries for which the environment has values of its own, with the path at which Vault keeps those ({@link entryPath}). */
  readonly ownEntries: ReadonlyMap<string, string>;
  /** Public keys of age that files of secrets/ are encrypted to. */
  readonly ageRecipients: readonly string[];
  /** Whether Vault's certificate is signed by the homelab's own authority, which no client trusts by itself. */
  readonly vaultByOwnAuthority: boolean;
  /** Clusters of other stacks whose applications the environment's Argo CD delivers. */
  readonly deliversTo: readonly DeliveredCluster[];
  /** Definitions of custom resources that the modules of the environment own, as `<plural>.<group>`. */
  readonly kinds: readonly string[];
  /** All host names of the environment, of modules and applications. Empty while the plan collects them. */
  readonly hostNames: readonly string[];
  /** Those of them that have a route. */
  readonly routeNames: readonly string[];
}

/** Where Vault keeps an entry for the place: its own one where there is one, else the common one. */
export const entryPath = ({ ownEntries }: Pick<Place, "ownEntries">, path: string): string => ownEntries.get(path) ?? path;
