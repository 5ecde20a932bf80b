/** Checks an application in its environment before anything is registered. Plain data; loads no Pulumi SDK. */
import { HomelabError } from "../../common/errors";
import { appManifests, PART_NAMES } from "../../components/apps/app-manifests";
import {
  type AppSpec,
  fileKey,
  ISSUER_PLACEHOLDER,
  isSecretValue,
  type Manifest,
  NAMESPACE_PLACEHOLDER,
  secretDataOf,
  secretNameOf,
  servicePortOf,
} from "../../components/apps/app-spec";
import type { App } from "../define/app";
import type { Estate } from "../load/estate";
import { stackPlace } from "../load/source-lines";
import type { LoadedStack } from "../load/stacks";
import { delivererOf } from "./deliverers";
import { patchedProblems } from "./patched-checks";
import { secretIn } from "./plain-secrets";
import type { PlannedApp } from "./planned-app";
import type { PlatformPlan } from "./platform-types";
import { mebibytes, milliCpu } from "./requests";

interface Where {
  readonly estate: Estate;
  readonly stack: LoadedStack;
  readonly platform: PlatformPlan;
}

/** What is wrong, and what to do. */
type Problem = readonly [what: string, hint: string];

const again = <T>(values: readonly T[]): T[] => values.filter((value, index) => values.indexOf(value) < index);

/** Refuses a host name that begins with another environment's name, such as `dev.shop` in stg; in production, with any environment's name. */
function hostOfAnother({ ports }: App, { estate, stack }: Where): Problem[] {
  const others = estate.stacks.filter(({ name, production }) => !production && name !== stack.name).map(({ name }) => name);
  return ports.flatMap(({ host }): Problem[] => {
    const first = host?.split(".")[0] ?? "";
    if (host === undefined || !host.includes(".")) return [];
    if (others.includes(first)) return [[`the host ${host} is one of ${first}`, `take ${stack.production ? "the name without it" : `${stack.name}.…`}`]];
    return stack.production && first === stack.name
      ? [[`the host ${host} begins with ${first}, and production's have nothing before their names`, "take it off"]]
      : [];
  });
}

/** Servers answer `/ready`, `/ready/` and `//ready` alike. */
const plainPath = (path: string): string => `/${path.split("/").filter(Boolean).join("/")}`;

function portProblems({ ports, probes }: AppSpec): Problem[] {
  return [
    ...again(ports.map(({ port }) => port)).map((port): Problem => [`two ports are ${port}`, "give each port of the container another number"]),
    ...again(ports.map(servicePortOf)).map((port): Problem => [`two ports of its Service are ${port}`, "give one of them a servicePort of its own"]),
    ...(probes.port !== undefined && !ports.some(({ port }) => port === probes.port)
      ? [[`its probes ask the port ${probes.port}, which it does not have`, `it has: ${ports.map(({ port }) => port).join(", ")}`] as const]
      : []),
    ...(plainPath(probes.live) === plainPath(probes.ready)
      ? [
          [
            `both probes ask ${probes.ready}`,
            "set live to a path that does not check dependencies, or to port: otherwise the outage of a dependency would restart it",
          ] as const,
        ]
      : []),
  ];
}

function scaleProblems(spec: AppSpec, app: App, { platform }: Where): Problem[] {
  const { autoscaling, rollout, resources } = spec;
  const problems: Problem[] = [];
  if (autoscaling !== undefined) {
    if (app.replicas !== undefined) problems.push(["it has replicas and autoscaling", "leave replicas out: the autoscaler's number counts"]);
    if (autoscaling.max < autoscaling.min) problems.push([`its autoscaling is ${autoscaling.min} to ${autoscaling.max} replicas`, "min is at most max"]);
    if (!platform.hasMetrics)
      problems.push([`its autoscaling needs metrics of its cluster, which ${platform.cluster.title} does not have`, "add metrics-server, or name replicas"]);
  }
  if (rollout !== undefined && /^0%?$/.test(String(rollout.maxSurge)) && /^0%?$/.test(String(rollout.maxUnavailable)))
    problems.push(["its rollout allows neither more replicas nor fewer", "one of maxSurge and maxUnavailable is not 0"]);
  if (resources !== undefined) {
    const { cpu, cpuLimit = cpu, memory, memoryLimit } = resources;
    if (mebibytes(memory) > mebibytes(memoryLimit))
      problems.push([`it requests ${memory} of memory, and its limit is ${memoryLimit}`, "the limit is at least the request"]);
    if (milliCpu(cpu) > milliCpu(cpuLimit)) problems.push([`it requests ${cpu} of CPU, and its limit is ${cpuLimit}`, "the limit is at least the request"]);
  }
  return problems;
}

/** What the API server takes of one ConfigMap or Secret, in bytes. */
const OBJECT_BYTES = 1_048_576;
/** Longest value of a label. */
const LABEL = 63;

/** Texts that no object of Kubernetes can hold. */
function textProblems({ environment = {}, config = {}, files = {} }: AppSpec): Problem[] {
  const sets = Object.entries({ environment, config, files }).map(
    ([where, values]) => [where, Object.entries(values).flatMap(([key, value]) => (typeof value === "string" ? [[key, value] as const] : []))] as const,
  );
  return sets.flatMap(([where, texts]): Problem[] => {
    const bytes = texts.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
    return [
      ...texts.flatMap(([key, value]): Problem[] =>
        value.includes("\0") || /\p{Surrogate}/u.test(value)
          ? [[`${where} has a value that is no text: ${key}`, "leave bytes out of it, or encode them as base64"]]
          : [],
      ),
      ...(bytes > OBJECT_BYTES ? [[`${where} has ${bytes} bytes, and one object holds ${OBJECT_BYTES}`, "put large files into the image"] as const] : []),
    ];
  });
}

/** Where a value has a text, as a path: `config.WHERE`. */
function pathTo(text: (value: string) => boolean, value: unknown): string[] | undefined {
  if (typeof value === "string") return text(value) ? [] : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const found = pathTo(text, inner);
    if (found !== undefined) return [key, ...found];
  }
  return undefined;
}

/** A text that is a placeholder would be replaced: by the program, but not in what is rendered, or by another stack's value. */
function placeholderProblems(app: App, { references }: PlannedApp): Problem[] {
  const isPlaceholder = (text: string): boolean => text === NAMESPACE_PLACEHOLDER || text === ISSUER_PLACEHOLDER || references.has(text);
  const found = pathTo(isPlaceholder, app);
  return found === undefined
    ? []
    : [[`${found.join(".")} is a text by which the program means a value that it does not know yet`, "write it in another way, such as without the brackets"]];
}

function configProblems({ spec: { environment = {}, config = {}, files = {}, writable = [] }, references }: PlannedApp): Problem[] {
  const texts = [
    ...Object.entries(environment).map(([key, value]) => ["environment", key, value] as const),
    ...Object.entries(config).map(([key, value]) => ["config", key, value] as const),
    ...Object.entries(files).map(([key, value]) => ["files", key, value] as const),
  ];
  const open = texts.flatMap(([where, key, value]): Problem[] => {
    const found = isSecretValue(value) || references.has(value) ? undefined : secretIn(key, value);
    return found === undefined ? [] : [[`${where} has ${found} in plain text: ${key}`, "put it into secrets/, and write { secret: { path, key } }"]];
  });
  const both = Object.keys(environment).filter((key) => key in config);
  const names = again(Object.keys(files).map(fileKey));
  const inside = Object.keys(files).filter((file) => writable.some((folder) => file.startsWith(`${folder}/`)));
  const secrets = again([...Object.keys(environment), ...Object.keys(files).map(fileKey)]).filter((key) => !names.includes(key));
  return [
    ...open,
    ...both.map((key): Problem => [`environment and config both have ${key}`, "leave one of them out"]),
    ...names.map((key): Problem => [`two files are called ${key}`, "give one of them another name: they lie side by side in one object"]),
    ...inside.map((file): Problem => [`the file ${file} is in a folder that is empty at each start`, "take another folder for it"]),
    ...secrets.map((key): Problem => [`a file and a variable are both called ${key}`, "give one of them another name"]),
  ];
}

function routeProblems({ ports }: AppSpec, { platform }: Where): Problem[] {
  if (platform.place.routes.kind === "istio") return [];
  return ports.flatMap(({ name, rules }): Problem[] =>
    rules === undefined
      ? []
      : [[`the port ${name} has rules for requests, and ${platform.environment} has no gateway of Istio`, "leave rules out here, or add istio"]],
  );
}

function deliveryProblems({ spec, delivery }: PlannedApp, { estate, stack }: Where): Problem[] {
  const hooks = Object.keys(spec.hooks ?? {});
  const problems = PART_NAMES.filter((name) => hooks.includes(name)).map(
    (name): Problem => [`a hook is called ${name}`, "take another name: a part of the application has this one"],
  );
  const long = hooks
    .filter((hook) => `${spec.name}-${hook}`.length > LABEL)
    .map((hook): Problem => [`the name of its hook ${hook} is longer than ${LABEL} characters with its own`, "take a shorter one"]);
  problems.push(...long);
  return delivery !== "pulumi" && delivererOf(estate, stack) === undefined
    ? [
        ...problems,
        [
          `${delivery === "hand-over" ? "it is handed over to or from Argo CD" : "Argo CD delivers it"}, and none delivers to ${stack.name}`,
          `add applications to the module argo-cd of ${stack.name}, or the module argo-cd-access with the stack whose Argo CD does, or leave delivery out`,
        ],
      ]
    : problems;
}

/** Fields in a pod that refer to an object, with the object's kind. */
const REFERENCES: Readonly<Record<string, string>> = {
  configMapRef: "ConfigMap",
  configMapKeyRef: "ConfigMap",
  configMap: "ConfigMap",
  secretRef: "Secret",
  secretKeyRef: "Secret",
  secret: "Secret",
};

/** The references in a value, as `ConfigMap shop-config`. */
function named(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const kind = REFERENCES[key];
    const reference = inner as { name?: unknown; secretName?: unknown } | null;
    const name = typeof inner === "object" ? (reference?.name ?? reference?.secretName) : undefined;
    const own = kind !== undefined && typeof name === "string" ? [`${kind} ${name}`] : [];
    const account = key === "serviceAccountName" && typeof inner === "string" && inner !== "default" ? [`ServiceAccount ${inner}`] : [];
    return [...own, ...account, ...named(inner)];
  });
}

/** References to objects that the application does not have: a patch can add any reference. */
function dangling(spec: AppSpec, manifests: readonly Manifest[]): Problem[] {
  const there = new Set(manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`));
  if (Object.keys(secretDataOf(spec)).length > 0) there.add(`Secret ${secretNameOf(spec)}`);
  return [...new Set(named(manifests.map((manifest) => manifest["spec"])))]
    .filter((name) => !there.has(name))
    .map((name): Problem => [`its objects name the ${name}, which does not exist`, `it has: ${[...there].join(", ")}`]);
}

/** @throws HomelabError E_APP with the first thing that is wrong, E_APP_PATCH */
export function checkApp(planned: PlannedApp, app: App, where: Where): void {
  const { spec, name } = planned;
  const { estate, stack, platform } = where;
  const at = (): string => `${stackPlace(estate.root, stack.name, "apps", name)}${stack.name}: ${name}: `;
  const refuse = ([problem]: readonly Problem[]): void => {
    if (problem !== undefined) throw new HomelabError("E_APP", `${at()}${problem[0]}`, { subject: stack.name, hint: problem[1] });
  };
  refuse([
    ...hostOfAnother(app, where),
    ...portProblems(spec),
    ...scaleProblems(spec, app, where),
    ...textProblems(spec),
    ...placeholderProblems(app, planned),
    ...configProblems(planned),
    ...routeProblems(spec, where),
    ...deliveryProblems(planned, where),
  ]);
  try {
    const manifests = appManifests(spec, { namespace: name, routes: platform.place.routes, issuer: ISSUER_PLACEHOLDER }).map(({ manifest }) => manifest);
    refuse([...dangling(spec, manifests), ...patchedProblems(planned, manifests)]);
  } catch (thrown) {
    if (!(thrown instanceof HomelabError) || thrown.code !== "E_APP_PATCH") throw thrown;
    throw new HomelabError(thrown.code, `${at()}${thrown.message}`, { subject: stack.name, ...(thrown.hint === undefined ? {} : { hint: thrown.hint }) });
  }
}
