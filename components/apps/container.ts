/** The container of an application, as its Deployment and its Jobs have it. Pure; loads no Pulumi SDK. */
import { DEFAULT_RESOURCES } from "./app-defaults";
import { type AppSpec, fileKey, isSecretValue, type Probes, type Resources, secretNameOf } from "./app-spec";

export const configNameOf = ({ name }: Pick<AppSpec, "name">): string => `${name}-config`;
export const filesNameOf = ({ name }: Pick<AppSpec, "name">): string => `${name}-files`;

const [READY_DELAY, READY_PERIOD, LIVE_DELAY, LIVE_PERIOD, START_PERIOD] = [5, 10, 15, 20, 5];

function probesOf({ ready, live, port, startSeconds }: Probes, firstPort: number) {
  const at = port ?? firstPort;
  const alive = live === "port" ? { tcpSocket: { port: at } } : { httpGet: { path: live, port: at } };
  const readinessProbe = { httpGet: { path: ready, port: at }, initialDelaySeconds: READY_DELAY, periodSeconds: READY_PERIOD };
  return startSeconds === undefined
    ? { readinessProbe, livenessProbe: { ...alive, initialDelaySeconds: LIVE_DELAY, periodSeconds: LIVE_PERIOD } }
    : {
        startupProbe: { ...alive, periodSeconds: START_PERIOD, failureThreshold: Math.ceil(startSeconds / START_PERIOD) },
        readinessProbe: { httpGet: readinessProbe.httpGet, periodSeconds: READY_PERIOD },
        livenessProbe: { ...alive, periodSeconds: LIVE_PERIOD },
      };
}

const resourcesOf = ({ cpu, memory, memoryLimit, cpuLimit }: Resources) => ({
  requests: { cpu, memory },
  limits: { ...(cpuLimit === undefined ? {} : { cpu: cpuLimit }), memory: memoryLimit },
});

const environmentOf = (app: AppSpec) =>
  Object.entries(app.environment ?? {}).map(([key, value]) =>
    isSecretValue(value) ? { name: key, valueFrom: { secretKeyRef: { name: secretNameOf(app), key } } } : { name: key, value },
  );

const writableName = (index: number): string => `writable-${index}`;

/** The volumes for its files: one for texts, one for secret values. */
function fileVolumes(app: AppSpec) {
  const files = Object.entries(app.files ?? {});
  const of = (secret: boolean) => files.filter(([, value]) => isSecretValue(value) === secret).map(([path]) => path);
  return [
    { name: "files", paths: of(false), source: { configMap: { name: filesNameOf(app) } } },
    { name: "secret-files", paths: of(true), source: { secret: { secretName: secretNameOf(app), defaultMode: 0o440 } } },
  ].filter(({ paths }) => paths.length > 0);
}

export const volumesOf = (app: AppSpec) => [
  ...(app.writable ?? []).map((_, index) => ({ name: writableName(index), emptyDir: {} })),
  ...fileVolumes(app).map(({ name, source }) => ({ name, ...source })),
];

const mountsOf = (app: AppSpec) => [
  ...(app.writable ?? []).map((mountPath, index) => ({ name: writableName(index), mountPath })),
  ...fileVolumes(app).flatMap(({ name, paths }) => paths.map((mountPath) => ({ name, mountPath, subPath: fileKey(mountPath), readOnly: true }))),
];

/** What the container of the Deployment and those of hooks have in common. */
export function runtimeOf(app: AppSpec) {
  const { config, resources = DEFAULT_RESOURCES, runAsUser } = app;
  return {
    env: environmentOf(app),
    ...(config === undefined ? {} : { envFrom: [{ configMapRef: { name: configNameOf(app) } }] }),
    resources: resourcesOf(resources),
    // An image without `runAsUser` may have to start as root, and to write into folders of root.
    securityContext: {
      allowPrivilegeEscalation: false,
      ...(runAsUser === undefined ? {} : { capabilities: { drop: ["ALL"] }, readOnlyRootFilesystem: true }),
    },
    volumeMounts: mountsOf(app),
  };
}

export function containerOf(app: AppSpec) {
  const { name, image, ports, probes } = app;
  const { env, envFrom, ...rest } = runtimeOf(app);
  return {
    name,
    image,
    ports: ports.map(({ name: portName, port }) => ({ name: portName, containerPort: port })),
    env,
    ...(envFrom === undefined ? {} : { envFrom }),
    ...probesOf(probes, ports[0].port),
    ...rest,
  };
}

/** What the pods of the Deployment and those of hooks have in common. */
export function podOf(app: AppSpec) {
  const { name, runAsUser, serviceAccount } = app;
  return {
    ...(serviceAccount === undefined ? {} : { serviceAccountName: name }),
    automountServiceAccountToken: serviceAccount?.token === true,
    securityContext: {
      seccompProfile: { type: "RuntimeDefault" },
      ...(runAsUser === undefined ? {} : { runAsNonRoot: true, runAsUser, fsGroup: runAsUser }),
    },
  };
}
