/** The schema of an application of the matrix. */
import { z } from "zod";
import { exactImage } from "../../common/exact-image";
import { DELIVERIES } from "../../components/apps/delivery";
import { RULE_NAMES } from "../../components/rules/rules";
import { ENVIRONMENT_OUTPUTS } from "../define/stacks";
import { hostName, name, objectName } from "./names";

const PORTS = 65_535;
const fromStack = z.union([z.strictObject({ from: z.string(), output: z.string() }), z.strictObject({ from: z.string(), image: z.string() })]);
const cpu = name(/^(\d+(\.\d+)?|\d+m)$/, "an amount of processors such as 250m or 2");
const memory = name(/^\d+(\.\d+)?(Ki|Mi|Gi|Ti)$/, "an amount of memory such as 64Mi or 2Gi");
const resources = z.strictObject({ cpu, memory, memoryLimit: memory, cpuLimit: cpu.optional() });
const portNumber = z.int().min(1).max(PORTS);
const urlPath = name(/^\/[\x21\x22\x24-\x7e]*$/, "a path, such as /readyz");
const seconds = z.int().min(1).max(86_400);
/** Its last part is a key of a ConfigMap or Secret. */
const filePath = name(
  /^(?!.*\/\.{1,2}(\/|$))(\/[^\s:/]+)*\/(?!\.\.)[-._A-Za-z0-9]{1,253}$/,
  "an absolute path whose last part has letters, digits, dots, dashes and _",
);

const port = z.strictObject({
  name: name(/^(?!.*--)(?=.*[a-z])[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$/, "the name of a port: up to 15 lower-case letters, digits and dashes"),
  port: portNumber,
  servicePort: portNumber.optional(),
  host: hostName.optional(),
  withoutIngress: z.literal("skip").optional(),
  rules: z.strictObject({ timeout: name(/^\d+(ms|s|m)$/, "a time such as 30s").optional(), retries: z.int().min(0).max(10).optional() }).optional(),
  url: z.string().optional(),
});

const flow = z.strictObject({
  direction: z.enum(["in", "out"]),
  peer: z.string().min(1),
  port: portNumber,
  endPort: portNumber.optional(),
  protocol: z.enum(["TCP", "UDP"]).optional(),
  why: z.string().min(1),
});

const probes = z.strictObject({
  ready: urlPath,
  live: z.union([z.literal("port"), urlPath], "must be a path, such as /livez, or port: an open port is enough"),
  port: portNumber.optional(),
  startSeconds: seconds.max(3600).optional(),
});

const share = z.union([z.int().min(0), name(/^(\d|[1-9]\d|100)%$/, "a number or a percentage such as 50%")]);
const secretValue = z.strictObject({ secret: z.strictObject({ path: z.string().min(1), key: z.string().min(1) }) });
const variable = name(/^[A-Za-z_][A-Za-z0-9_]{0,252}$/, "the name of a variable: letters, digits and _");

const hook = z.strictObject({
  when: z.enum(["before", "after"]),
  command: z.array(z.string()).min(1),
  image: exactImage.optional(),
  timeoutSeconds: seconds.optional(),
  retries: z.int().min(0).max(10).optional(),
});

const pointer = name(/^(\/([^/~]|~[01])*)*$/, "a JSON pointer, such as /spec/replicas");
const patch = z.strictObject({
  kind: z.string().min(1),
  name: z.string().optional(),
  operations: z
    .array(
      z.union([
        z.strictObject({ op: z.enum(["add", "replace", "test"]), path: pointer, value: z.unknown() }),
        z.strictObject({ op: z.literal("remove"), path: pointer }),
        z.strictObject({ op: z.enum(["copy", "move"]), from: pointer, path: pointer }),
      ]),
    )
    .min(1),
  why: z.string().min(1),
});

/** A text is checked separately, in `appImage`: for a union zod says only that no alternative fits. */
const image = z.union([
  z.string(),
  fromStack,
  z.strictObject({ setting: z.literal("images") }),
  z.strictObject({ setting: z.literal("appImage"), otherwise: fromStack.optional() }),
]);
const appImage = image.superRefine((value, issues) => {
  const wrong = typeof value === "string" ? exactImage.safeParse(value).error : undefined;
  for (const { message } of wrong?.issues ?? []) issues.addIssue({ code: "custom", message });
});

export const appSchema = z.strictObject({
  image: appImage,
  ports: z.array(port).min(1),
  probes,
  replicas: z.union([z.int().min(0), z.strictObject({ setting: z.literal("appReplicas") })]).optional(),
  autoscaling: z.strictObject({ min: z.int().min(1), max: z.int().min(2).max(100), cpu: z.int().min(1).max(100) }).optional(),
  environment: z.record(variable, z.union([z.string(), fromStack, secretValue])).optional(),
  config: z.record(variable, z.string()).optional(),
  files: z.record(filePath, z.union([z.string(), secretValue])).optional(),
  resources: resources.optional(),
  writable: z.array(z.string().startsWith("/")).optional(),
  runAsUser: z.int().min(1).optional(),
  rollout: z.strictObject({ maxSurge: share, maxUnavailable: share }).optional(),
  serviceAccount: z.strictObject({ token: z.boolean().optional(), annotations: z.record(z.string(), z.string()).optional() }).optional(),
  hooks: z.record(objectName, hook).optional(),
  flows: z.array(flow).optional(),
  exceptions: z.array(z.strictObject({ rule: z.enum(RULE_NAMES), why: z.string().min(1) })).optional(),
  patches: z.array(patch).optional(),
  delivery: z.enum(DELIVERIES).optional(),
  outputs: z
    .record(
      z.string().refine((key) => !(ENVIRONMENT_OUTPUTS as readonly string[]).includes(key), "is the name of an output that every stack has"),
      z.strictObject({ url: z.string() }),
    )
    .optional(),
});
