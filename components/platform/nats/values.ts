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
/** A user's password in the environment as it is; also its key in the Secret. */
const credentialVariable = (user: string): string => variable("CREDENTIAL", user);
/** The same in quotes, for the configuration: without them a password such as 12345678 is a number there, and the server ends. */
export const passwordVariable = (user: string): string => variable("PASSWORD", user);

/** All users with where their passwords lie. */
export const usersOf = ({ accounts }: Pick<NatsOptions, "accounts">) =>
  Object.values(accounts).flatMap(({ users }) => Object.entries(users).map(([name, user]) => ({ name, ...user })));

export const usersSecret = (options: Pick<NatsOptions, "accounts">): WantedSecret => ({
  name: USERS_SECRET,
  data: Object.fromEntries(usersOf(options).map(({ name, path, key }) => [credentialVariable(name), { path, key }])),
});

/** Answers to requests come on subjects of the client's own. */
const INBOX = "_INBOX.>";
const JETSTREAM = "$JS.API.>";

/**
 * The server's accounts. A server that has accounts and no `no_auth_user` refuses who names no user. Passwords are variables of its
 * environment: the chart takes the quotes off what stands in `<< >>`.
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

/** @typeParam T text, or a text that is known once it is there */
export interface NatsValuesArgs<T> {
  storageClass: string;
  options: Pick<NatsOptions, "size" | "accounts">;
  /** Full name under which clients outside the cluster reach it. */
  host: string;
  credentialMark: T;
}

/** What the image needs not. */
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
          // The chart writes them in the order of their names, and Kubernetes fills in what stands before.
          return [
            [key, { valueFrom: { secretKeyRef: { name: USERS_SECRET, key } } }],
            [passwordVariable(name), { value: `"$(${key})"` }],
          ];
        }),
      ),
      resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "512Mi" } },
      merge: { securityContext: NO_RIGHTS },
    },
    // Its figures for Prometheus, from a program beside it that asks it within the pod.
    promExporter: { enabled: true, merge: { securityContext: NO_RIGHTS, resources: sized("10m", "16Mi", "64Mi") } },
    // It reads its configuration at its start: another one, and other passwords, restart it.
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
    // Of one server it would only keep a node from being drained.
    podDisruptionBudget: { enabled: false },
    natsBox: { enabled: false },
  };
}
