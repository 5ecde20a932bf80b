/** Schemas of the files of a site. They check what types cannot, and everything in files whose types nobody has checked. */
import { z } from "zod";
import { HomelabError } from "../../common/errors";
import { MODULES } from "../../components/platform/catalogue";
import { VM_DUTIES } from "../define/stacks";
import { appSchema } from "./app-schema";
import { hostName, name, objectName } from "./names";

const publicKey = /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d+|sk-[a-z0-9-]+@openssh\.com) [A-Za-z0-9+/=]+( .*)?$/;
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
/** A name, or a definition. The definition's other fields (components/hosts/node-spec.ts) are not checked here: the provider checks them. */
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

/** @throws HomelabError E_PROGRAM_FILE where a module's file has been emptied, which no type shows at run time */
function modules(): typeof MODULES {
  const at = MODULES.findIndex((module: unknown) => module === undefined);
  if (at < 0) return MODULES;
  const [file, before] = ["components/platform/catalogue.ts", MODULES[at - 1]?.name];
  throw new HomelabError(
    "E_PROGRAM_FILE",
    `${file} lists a module whose file exports nothing: ${before === undefined ? "the first one" : `the one after "${before}"`}`,
    {
      subject: file,
      hint: "restore that module's module.ts, or remove its line; `npm run typecheck` names the file",
    },
  );
}

const stackSchema = z.strictObject({
  description: z.string(),
  needs: z.array(z.string()),
  vms: z.record(objectName, z.enum(VM_DUTIES)),
  proxmox: z.literal(true).optional(),
  production: z.literal(true).optional(),
  backup: z.tuple([z.string().min(1)], z.string()).optional(),
  verify: z.tuple([z.string().min(1)], z.string()).optional(),
  platform: z.strictObject(Object.fromEntries(modules().map((module) => [module.name, module.options.optional()]))),
  apps: z.record(objectName, appSchema).optional(),
});

export const stacksSchema = z.record(objectName, stackSchema);
