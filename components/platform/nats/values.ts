/** Values of the chart nats. */
import { CREDENTIALS_ANNOTATION } from "../credentials-annotation";
import type { WantedSecret } from "../namespace-grants";
import type { ChartPin } from "../pins";
import { sized } from "../sized";
import type { NatsOptions } from "./options";

export const NATS_CHART = {
  repository: "https://nats-io.github.io/k8s/helm/charts",
  name: "nats",
  version: "2.14.2",
  why: "NATS 2.14; the layout of its values is that of the 1.x charts, below `config`",
} as const satisfies ChartPin;

export const NATS_NAMESPACE = "nats";
/** Secret with a password for each user. */
export const USERS_SECRET = "nats-users";
export const NATS_PORT = 4222;

const variable = (prefix: string, user: string): string => `${prefix}_OF_${user.toUpperCase().replaceAll("-", "_")}`;
/** Variable with a user's password; also its key in the Secret. */
const credentialVariable = (user: string): string => variable("CREDENTIAL", user);
/** Variable with the password in quotes. In the configuration a password such as 12345678 would be a number otherwise, and the server would exit. */
export const passwordVariable = (user: string): string => variable("PASSWORD", user);

/** All users, with path and key of their passwords. */
export const usersOf = ({ accounts }: Pick<NatsOptions, "accounts">) =>
  Object.values(accounts).flatMap(({ users }) => Object.entries(users).map(([name, user]) => ({ name, ...user })));

export const usersSecret = (options: Pick<NatsOptions, "accounts">): WantedSecret => ({
  name: USERS_SECRET,
  data: Object.fromEntries(usersOf(options).map(({ name, path, key }) => [credentialVariable(name), { path, key }])),
});

/** A client gets the answers to its requests on subjects of its own. */
const INBOX = "_INBOX.>";
const JETSTREAM = "$JS.API.>";

/**
 * The server's accounts. A server with accounts and without `no_auth_user` refuses clients without a user. Passwords are variables of its
 * environment: the chart removes the quotes around `<< >>`.
 */
export function natsAccounts({ accounts }: Pick<NatsOptions, "accounts">) {
  return Object.fromEntries(
    Object.entries(accounts).map(([name, { jetstream, users }]) => [
      name,
      {
        ...(jetstream ? { jetstream: "enabled" } : {}),
        users: Object.entries(users).map(([user, { subjects }]) => ({
          user,
          password: `<< $${passwordVariable(user)} >>`,
          permissions: { publish: [...subjects, INBOX, ...(jetstream ? [JETSTREAM] : [])], subscribe: [...subjects, INBOX] },
        })),
      },
    ]),
  );
}

/** @typeParam T text, or an output of one */
export interface NatsValuesArgs<T> {
  storageClass: string;
  options: Pick<NatsOptions, "size" | "accounts">;
  /** Full name under which clients outside the cluster reach it. */
  host: string;
  credentialMark: T;
}

/** Without the rights that the image does not need. */
const NO_RIGHTS = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } };

export function natsValues<T>({ storageClass, options, host, credentialMark }: NatsValuesArgs<T>) {
  return {
    config: {
      jetstream: { enabled: true, fileStore: { enabled: true, pvc: { enabled: true, size: options.size, storageClassName: storageClass } } },
      merge: { accounts: natsAccounts(options) },
    },
    container: {
      env: Object.fromEntries(
        usersOf(options).flatMap(({ name }) => {
          const key = credentialVariable(name);
          // Kubernetes expands `$(…)` only for variables that come before. The chart sorts them by name, and CREDENTIAL comes before PASSWORD.
          return [
            [key, { valueFrom: { secretKeyRef: { name: USERS_SECRET, key } } }],
            [passwordVariable(name), { value: `"$(${key})"` }],
          ];
        }),
      ),
      resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "512Mi" } },
      merge: { securityContext: NO_RIGHTS },
    },
    // Metrics for Prometheus, by an exporter in the same pod.
    promExporter: { enabled: true, merge: { securityContext: NO_RIGHTS, resources: sized("10m", "16Mi", "64Mi") } },
    // The server reads its configuration when it starts. A change of it, or of a password, restarts the pod.
    reloader: { enabled: false },
    podTemplate: {
      configChecksumAnnotation: true,
      merge: {
        metadata: { annotations: { [CREDENTIALS_ANNOTATION]: credentialMark } },
        spec: { securityContext: { runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000, seccompProfile: { type: "RuntimeDefault" } } },
      },
    },
    service: {
      merge: { metadata: { annotations: { "external-dns.alpha.kubernetes.io/hostname": host } }, spec: { type: "LoadBalancer" } },
    },
    // With one server it would only prevent the drain of its node.
    podDisruptionBudget: { enabled: false },
    natsBox: { enabled: false },
  };
}
