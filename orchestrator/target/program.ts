/** Asks the program what stacks there are. */
import { z } from "zod";
import type { HomelabError } from "../../common/errors";
import { type LabSite, labSiteSchema, parseLabSite } from "../../common/lab-site";
import { askProgram, errorOf, failureSchema } from "./ask-program";
import { StackGraph } from "./graph";

const stackSchema = z.object({
  name: z.string(),
  needs: z.array(z.string()),
  description: z.string(),
  vms: z.array(z.string()),
  vault: z.boolean(),
  /** Only from `describe`. */
  machines: z.array(z.object({ name: z.string(), node: z.string(), address: z.string(), cluster: z.boolean() })).optional(),
  apps: z.array(z.string()).optional(),
  deliveredByArgoCd: z.array(z.string()).optional(),
  besideArgoCd: z.object({ argoCdOf: z.string(), apps: z.array(z.string()) }).optional(),
  platform: z
    .object({
      cluster: z.string(),
      modules: z.array(z.object({ name: z.string() })),
      hosts: z.array(z.object({ name: z.string(), route: z.string(), owner: z.string() })).optional(),
    })
    .optional(),
  production: z.literal(true).optional(),
  backup: z.array(z.string()).optional(),
});

const vmOwners = (stacks: readonly z.infer<typeof stackSchema>[]): ReadonlyMap<string, string> =>
  new Map(stacks.flatMap(({ name, vms }) => vms.map((vm): [string, string] => [vm, name])));

const vaultStackOf = (stacks: readonly z.infer<typeof stackSchema>[]): string | undefined => stacks.find(({ vault }) => vault)?.name;

const descriptionSchema = z.object({
  version: z.literal(1),
  project: z.string(),
  site: z.string(),
  warnings: z.array(z.string()),
  lab: z.union([z.object({ site: labSiteSchema }), z.object({ failure: failureSchema })]),
  nodes: z.array(z.string()),
  stacks: z.array(stackSchema),
});

/** What reports show of the homelab. */
export interface Estate {
  nodes: string[];
  stacks: {
    stack: string;
    needs: string[];
    cluster: string;
    machines: { name: string; node: string; address: string; cluster: boolean }[];
    modules: string[];
    apps: string[];
  }[];
}

const estateOf = (nodes: string[], stacks: readonly z.infer<typeof stackSchema>[]): Estate => ({
  nodes,
  stacks: stacks.map(({ name, needs, machines = [], apps = [], platform }) => ({
    stack: name,
    needs,
    cluster: platform?.cluster ?? "",
    machines,
    modules: (platform?.modules ?? []).map((module) => module.name),
    apps,
  })),
});

export interface Program {
  project: string;
  /** Name of the homelab: its domain. */
  site: string;
  /** Warnings about the program's data, such as a host that is overcommitted. */
  warnings: readonly string[];
  graph: StackGraph;
  /** What a lab is told about the homelab, or why it cannot be told. */
  lab: { site: LabSite } | { failure: HomelabError };
  /** The stack of each VM, in the order of the stacks. */
  vms: ReadonlyMap<string, string>;
  /** The stack in whose cluster Vault runs, if one does. */
  vaultStack: string | undefined;
  /** Host names that the estate serves by HTTPS. Tests' own programs have neither these nor an estate. */
  routes?: readonly { host: string /** Module or application. */; owner: string; stack: string }[];
  estate?: Estate;
}

/** What a new lab is told about the homelab; the program's settings and inventory may be wrong. */
export const readLabSite = async (): Promise<LabSite> => parseLabSite(await askProgram("lab-site"), "bin/stacks/lab-site.js");

const stackListSchema = z.object({
  site: z.string(),
  vaultAddress: z.string().optional(),
  stacks: z.array(stackSchema.extend({ modules: z.array(z.object({ name: z.string(), entries: z.array(z.string()) })) })),
});

type StackList = Pick<Program, "site" | "graph" | "vms" | "vaultStack"> & {
  vaultAddress: string | undefined;
  /** The modules that each stack has, with the entries of secrets/ that their options name. */
  stacks: readonly { name: string; modules: readonly { name: string; entries: readonly string[] }[] }[];
};

/**
 * The site's name and its stacks, even where planning fails: otherwise a secret that a stack lacks could not be written.
 * @throws HomelabError with the program's own code where site, settings or VM files are wrong
 */
export async function listStacks(): Promise<StackList> {
  const { site, vaultAddress, stacks } = stackListSchema.parse(await askProgram("stack-list"));
  return { site, vaultAddress, graph: new StackGraph(stacks), vms: vmOwners(stacks), vaultStack: vaultStackOf(stacks), stacks };
}

/**
 * The program's stacks, with its configuration and inventory checked.
 * @throws HomelabError with the program's own code where its configuration, inventory or graph is wrong
 */
export async function describeProgram(): Promise<Program> {
  const { project, site, warnings, nodes, stacks, lab } = descriptionSchema.parse(await askProgram("describe"));
  return {
    project,
    site,
    warnings,
    graph: new StackGraph(stacks),
    vms: vmOwners(stacks),
    vaultStack: vaultStackOf(stacks),
    routes: stacks.flatMap(({ name: stack, platform }) =>
      (platform?.hosts ?? []).flatMap(({ name: host, route, owner }) => (route === "ingress" ? [{ host, owner, stack }] : [])),
    ),
    estate: estateOf(nodes, stacks),
    lab: "site" in lab ? lab : { failure: errorOf(lab.failure) },
  };
}
