/** What the files of a site must be. Their types say most of it; this holds what types cannot say, and files that nobody compiled. */
import { z } from "zod";
import { MODULES } from "../../components/platform/catalogue";
import { RULE_NAMES } from "../../components/rules/rules";
import { ENVIRONMENT_OUTPUTS, VM_DUTIES } from "../define/stacks";

const publicKey = /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d+|sk-[a-z0-9-]+@openssh\.com) [A-Za-z0-9+/=]+( .*)?$/;
const name = (pattern: RegExp, what: string) => z.string().regex(pattern, `must be ${what}`);
const label = "[a-z0-9]([a-z0-9-]*[a-z0-9])?";
const hostName = name(new RegExp(`^${label}(\\.${label})*$`), "a host name: lower-case letters, digits and dashes, with dots between its parts");
const objectName = name(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/, "a name of lower-case letters, digits and dashes that begins with a letter");

export const siteSchema = z.strictObject({
  domain: hostName,
  subnet: z.cidrv4("must be a network such as 10.20.0.0/24"),
  gateway: z.ipv4("must be an IPv4 address"),
  nameserver: z.ipv4("must be an IPv4 address"),
  proxmoxEndpoint: z.url({ protocol: /^https$/, error: "must be an https URL" }),
  piholeUrl: z.url({ protocol: /^https?$/, error: "must be an http or https URL" }),
  vaultAddress: z.url({ protocol: /^https$/, error: "must be an https URL" }),
  user: objectName,
  operatorKeys: z.array(z.string().regex(publicKey, "must be an OpenSSH public key")).min(1, "must have at least one key: nobody could log in"),
});

const pinnedFile = { url: z.url(), sha256: name(/^[0-9a-f]{64}$/, "a SHA-256: 64 hexadecimal digits"), fileName: z.string().min(1) };
/** A name, or a definition: its own check is the component's (components/hosts/node-spec.ts). */
const nameOrDefinition = z.union([z.string().min(1), z.looseObject({ name: z.string().min(1) })]);

const nodeSchema = z.strictObject({
  name: hostName,
  hardware: z.string(),
  memoryMiB: z.int().min(1),
  reservedMiB: z.int().min(0),
  threads: z.int().min(1),
  bridges: z.array(nameOrDefinition).min(1),
  storages: z.array(nameOrDefinition).min(1),
  fileStorage: nameOrDefinition,
  isoStorages: z.array(z.string()),
  isos: z.array(z.strictObject(pinnedFile)),
  templateStorage: z.string().min(1),
  templateId: z.int().min(100).max(999_999_999),
});

export const proxmoxSchema = z.strictObject({
  nodes: z.array(nodeSchema).min(1, "must have at least one node"),
  image: z.strictObject({ ...pinnedFile, templateName: objectName }),
});

const fromStack = z.union([z.strictObject({ from: z.string(), output: z.string() }), z.strictObject({ from: z.string(), image: z.string() })]);
const resources = z.strictObject({ cpu: z.string(), memory: z.string(), memoryLimit: z.string() });
const port = z.strictObject({
  name: name(/^[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$/, "the name of a port: up to 15 lower-case letters, digits and dashes"),
  port: z.int().min(1).max(65_535),
  host: hostName.optional(),
  withoutIngress: z.literal("skip").optional(),
  url: z.string().optional(),
});

const flow = z.strictObject({
  direction: z.enum(["in", "out"]),
  peer: z.string().min(1),
  port: z.int().min(1).max(65_535),
  endPort: z.int().min(1).max(65_535).optional(),
  protocol: z.enum(["TCP", "UDP"]).optional(),
  why: z.string().min(1),
});

const appSchema = z.strictObject({
  image: z.union([z.string().min(1), fromStack, z.strictObject({ setting: z.literal("appImage"), otherwise: fromStack.optional() })]),
  ports: z.array(port).min(1),
  healthPath: z.string().startsWith("/").optional(),
  livePath: z.string().startsWith("/").optional(),
  healthPort: z.int().min(1).max(65_535).optional(),
  replicas: z.union([z.int().min(0), z.strictObject({ setting: z.literal("appReplicas") })]).optional(),
  environment: z.record(z.string(), z.union([z.string(), fromStack])).optional(),
  resources: resources.optional(),
  writable: z.array(z.string().startsWith("/")).optional(),
  runAsUser: z.int().min(1).optional(),
  flows: z.array(flow).optional(),
  exceptions: z.array(z.strictObject({ rule: z.enum(RULE_NAMES), why: z.string().min(1) })).optional(),
  outputs: z
    .record(
      z.string().refine((key) => !(ENVIRONMENT_OUTPUTS as readonly string[]).includes(key), "is the name of an output that every stack has"),
      z.union([z.literal("image"), z.strictObject({ url: z.string() })]),
    )
    .optional(),
});

const stackSchema = z.strictObject({
  description: z.string(),
  needs: z.array(z.string()),
  vms: z.record(objectName, z.enum(VM_DUTIES)),
  proxmox: z.literal(true).optional(),
  production: z.literal(true).optional(),
  backup: z.tuple([z.string().min(1)], z.string()).optional(),
  platform: z.strictObject(Object.fromEntries(MODULES.map((module) => [module.name, module.options.optional()]))),
  apps: z.record(objectName, appSchema).optional(),
});

export const stacksSchema = z.record(objectName, stackSchema);
