/** A Deployment of one container with its Service, for programs that have no chart of their own. Pure. */
import { CREDENTIALS_ANNOTATION } from "./credentials-annotation";
import type { sized } from "./sized";

/** A value of a container's environment: as it is, or of a Secret. */
type Setting<S> = string | { readonly secret: S; readonly key: string };

export interface Part<S> {
  /** Name of the software that it is a part of. */
  readonly of: string;
  readonly name: string;
  readonly image: string;
  readonly port: number;
  /** Path that answers 200 when it is ready; left out: it is ready when it accepts a connection. */
  readonly healthPath?: string;
  readonly args?: readonly string[];
  readonly environment: Readonly<Record<string, Setting<S>>>;
  readonly resources: ReturnType<typeof sized>;
  readonly user: number;
  /** The image writes outside of its volumes. */
  readonly writesRoot?: true;
  /** Digest of its credentials: the pod restarts when it changes. */
  readonly credentials?: S;
  /** Folders by claim, or empty ones. */
  readonly mounts: Readonly<Record<string, { readonly claim: S } | "empty">>;
}

export const labelsOf = (of: string, name: string) => ({
  "app.kubernetes.io/name": name,
  "app.kubernetes.io/part-of": of,
  "app.kubernetes.io/managed-by": "homelab",
});

/** A first start may take ten minutes, to migrate a database or to download models. */
const STARTS_WITHIN = { periodSeconds: 10, failureThreshold: 60 };

export function deploymentOf<S>(
  { of, name, image, port, healthPath, args, environment, resources, user, writesRoot, credentials, mounts }: Part<S>,
  namespace: S,
) {
  const probe = healthPath === undefined ? { tcpSocket: { port: "main" } } : { httpGet: { path: healthPath, port: "main" } };
  const volumes = Object.entries(mounts).map(([path, what], index) => ({ path, what, volume: `volume-${index}` }));
  const env = Object.entries(environment).map(([key, value]) =>
    typeof value === "string" ? { name: key, value } : { name: key, valueFrom: { secretKeyRef: { name: value.secret, key: value.key } } },
  );
  return {
    metadata: { name, namespace, labels: labelsOf(of, name) },
    spec: {
      replicas: 1,
      // A volume is mounted by one pod at a time.
      strategy: { type: "Recreate" },
      selector: { matchLabels: { "app.kubernetes.io/name": name } },
      template: {
        metadata: { labels: labelsOf(of, name), ...(credentials === undefined ? {} : { annotations: { [CREDENTIALS_ANNOTATION]: credentials } }) },
        spec: {
          automountServiceAccountToken: false,
          // Kubernetes' own variables for Services would override settings of the same names.
          enableServiceLinks: false,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: user,
            runAsGroup: user,
            fsGroup: user,
            fsGroupChangePolicy: "OnRootMismatch",
            seccompProfile: { type: "RuntimeDefault" },
          },
          containers: [
            {
              name,
              image,
              ...(args === undefined ? {} : { args: [...args] }),
              env,
              ports: [{ name: "main", containerPort: port }],
              startupProbe: { ...probe, ...STARTS_WITHIN },
              readinessProbe: { ...probe, periodSeconds: 10 },
              // Only the port, since an outage of what it depends on must not restart it.
              livenessProbe: { tcpSocket: { port: "main" }, periodSeconds: 20, failureThreshold: 6 },
              resources,
              securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: writesRoot !== true, capabilities: { drop: ["ALL"] } },
              volumeMounts: volumes.map(({ path, volume }) => ({ name: volume, mountPath: path })),
            },
          ],
          volumes: volumes.map(({ what, volume }) =>
            what === "empty" ? { name: volume, emptyDir: {} } : { name: volume, persistentVolumeClaim: { claimName: what.claim } },
          ),
        },
      },
    },
  };
}

export const serviceOf = <S>({ of, name, port }: Pick<Part<S>, "of" | "name" | "port">, namespace: S) => ({
  metadata: { name, namespace, labels: labelsOf(of, name) },
  spec: { selector: { "app.kubernetes.io/name": name }, ports: [{ name: "main", port, targetPort: "main" }] },
});
