/** The site's TypeScript files, checked. */
import type { z } from "zod";
import { projectRoot } from "../../common/paths";
import { nameOf, type ProxmoxSite } from "../define/nodes";
import type { Site } from "../define/site";
import type { Stacks } from "../define/stacks";
import { isInSubnet } from "./addresses";
import { type Path, problemsOf } from "./places";
import { type Problem, throwProblems } from "./problems";
import { proxmoxSchema, siteSchema, stacksSchema } from "./site-schema";
import { sourceLines } from "./source-lines";

/** One homelab, as in its files. */
export interface SiteFiles {
  site: Site;
  proxmox: ProxmoxSite;
  stacks: Stacks;
}

/** Each file with the function that declares its content. */
const FILES = {
  site: { file: "site/site.ts", call: "defineSite" },
  proxmox: { file: "site/nodes.ts", call: "defineNodes" },
  stacks: { file: "site/stacks.ts", call: "defineStacks" },
} as const;

/** Makes a problem of one of the files, at these keys. */
type AtKeys = (part: keyof typeof FILES, keys: Path, message: string) => Problem;

const problemsIn =
  (root: string): AtKeys =>
  (part, keys, message) => {
    const { file, call } = FILES[part];
    return { file, line: sourceLines(file, call, root)(keys), key: keys.join(".") || "(file)", message };
  };

function schemaProblems(part: keyof typeof FILES, schema: z.ZodType, value: unknown, root: string): Problem[] {
  const result = schema.safeParse(value);
  if (result.success) return [];
  const { file, call } = FILES[part];
  return problemsOf(file, schema, result.error.issues, sourceLines(file, call, root));
}

function siteProblems({ site }: SiteFiles, siteProblem: AtKeys): Problem[] {
  const problems: Problem[] = [];
  for (const key of ["gateway", "nameserver"] as const)
    if (!isInSubnet(site[key], site.subnet)) problems.push(siteProblem("site", [key], `${site[key]} is not an address of ${site.subnet}`));
  const vault = new URL(site.vaultAddress).hostname;
  if (!vault.endsWith(`.${site.domain}`)) problems.push(siteProblem("site", ["vaultAddress"], `${vault} is not a name below ${site.domain}`));
  return problems;
}

/** Indices of values that occur earlier in the list too. */
const again = <T>(values: readonly T[]): number[] => values.flatMap((value, index) => (values.indexOf(value) < index ? [index] : []));

function nodeProblems({ proxmox: { nodes } }: SiteFiles, siteProblem: AtKeys): Problem[] {
  return [
    ...again(nodes.map(({ name }) => name)).map((index) => siteProblem("proxmox", ["nodes", index, "name"], `there are two nodes "${nodes[index]?.name}"`)),
    ...again(nodes.map(({ templateId }) => templateId)).map((index) =>
      siteProblem(
        "proxmox",
        ["nodes", index, "templateId"],
        `${nodes[index]?.templateId} is the id of another node's template too: ids are unique in the whole cluster`,
      ),
    ),
    ...nodes.flatMap(({ name, storages, templateStorage, memoryMiB, reservedMiB }, index) => [
      ...(storages.map(nameOf).includes(templateStorage)
        ? []
        : [
            siteProblem(
              "proxmox",
              ["nodes", index, "templateStorage"],
              `${name} has no storage "${templateStorage}"; it has ${storages.map(nameOf).join(", ")}`,
            ),
          ]),
      ...(reservedMiB < memoryMiB ? [] : [siteProblem("proxmox", ["nodes", index, "reservedMiB"], `${name} has only ${memoryMiB} MiB`)]),
    ]),
  ];
}

/**
 * @param root of the checkout that the files are of, for the lines
 * @throws HomelabError E_SITE with file, line and key of every problem
 */
export function checkSiteFiles(files: SiteFiles, root: string = projectRoot()): void {
  throwProblems(
    [
      ...schemaProblems("site", siteSchema, files.site, root),
      ...schemaProblems("proxmox", proxmoxSchema, files.proxmox, root),
      ...schemaProblems("stacks", stacksSchema, files.stacks, root),
    ],
    "E_SITE",
  );
  const at = problemsIn(root);
  throwProblems([...siteProblems(files, at), ...nodeProblems(files, at)], "E_SITE");
}
