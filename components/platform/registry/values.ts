/** The registry of the project distribution, which has no chart of its own. */
import type { WantedSecret } from "../namespace-grants";
import type { ImagePin } from "../pins";
import { sized } from "../sized";
import type { RegistryOptions } from "./options";

export const REGISTRY_IMAGE = {
  image: "docker.io/library/registry:3.1.1",
  why: "distribution 3.1; the original's version 2 gets no fixes any more",
} as const satisfies ImagePin;

export const REGISTRY_NAMESPACE = "registry";
export const REGISTRY_PORT = 5000;
export const REGISTRY_CLAIM = "registry";
export const REGISTRY_RESOURCES = { cpu: "50m", memory: "64Mi" } as const;
const USERS_SECRET = "registry-users";
const USER = 1000;
const NAME = "registry";
const labels = { "app.kubernetes.io/name": NAME, "app.kubernetes.io/managed-by": "homelab" };

export const usersSecret = ({ path, key }: Pick<RegistryOptions, "path" | "key">): WantedSecret => ({ name: USERS_SECRET, data: { htpasswd: { path, key } } });

/** Its configuration, as environment variables. */
const SETTINGS = {
  REGISTRY_AUTH: "htpasswd",
  REGISTRY_AUTH_HTPASSWD_REALM: "homelab",
  REGISTRY_AUTH_HTPASSWD_PATH: "/auth/htpasswd",
  REGISTRY_STORAGE_DELETE_ENABLED: "true",
  OTEL_TRACES_EXPORTER: "none",
};

export const registryDeployment = <S>(namespace: S, claim: S) => ({
  metadata: { name: NAME, namespace, labels },
  spec: {
    replicas: 1,
    // A volume is mounted by one pod at a time.
    strategy: { type: "Recreate" },
    selector: { matchLabels: { "app.kubernetes.io/name": NAME } },
    template: {
      metadata: { labels },
      spec: {
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, runAsUser: USER, runAsGroup: USER, fsGroup: USER, seccompProfile: { type: "RuntimeDefault" } },
        containers: [
          {
            name: NAME,
            image: REGISTRY_IMAGE.image,
            env: Object.entries(SETTINGS).map(([name, value]) => ({ name, value })),
            ports: [{ name: "http", containerPort: REGISTRY_PORT }],
            // The one path that answers without a user.
            readinessProbe: { httpGet: { path: "/", port: "http" } },
            livenessProbe: { tcpSocket: { port: "http" }, periodSeconds: 20 },
            resources: sized(REGISTRY_RESOURCES.cpu, REGISTRY_RESOURCES.memory, "512Mi"),
            securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
            volumeMounts: [
              { name: "images", mountPath: "/var/lib/registry" },
              // Read again when it changes, so a new user needs no restart.
              { name: "users", mountPath: "/auth", readOnly: true },
            ],
          },
        ],
        volumes: [
          { name: "images", persistentVolumeClaim: { claimName: claim } },
          { name: "users", secret: { secretName: USERS_SECRET } },
        ],
      },
    },
  },
});

export const registryService = <S>(namespace: S) => ({
  metadata: { name: NAME, namespace, labels },
  spec: { selector: { "app.kubernetes.io/name": NAME }, ports: [{ name: "http", port: REGISTRY_PORT, targetPort: "http" }] },
});
