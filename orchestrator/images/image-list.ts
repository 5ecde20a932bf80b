/** `images/images.yaml`: every image that the homelab builds, and the arguments that a build of one takes. */
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { HomelabError } from "../../common/errors";
import { isLatest, parseReference } from "../../common/image-reference";
import { nearest } from "../../common/nearest";

const name = z.string().regex(/^[a-z][a-z0-9-]*$/, "must be a name of a-z, 0-9 and -");
const base = z.string().refine((text) => {
  const image = parseReference(text);
  return image?.tag !== undefined && !isLatest(image);
}, "must be <registry>/<repository>:<tag>, not latest, and may end with @sha256:<64 hexadecimal digits>");
const tool = z.strictObject({
  url: z.url({ protocol: /^https$/, error: "must be an address with https" }).refine((url) => !/\s/.test(url), "must be without spaces"),
  /** Path of the program in the archive. Left out: what is downloaded is the program. */
  inside: z
    .string()
    .regex(/^[\w./-]+$/)
    .optional(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "must be 64 hexadecimal digits")
    .optional(),
});
const argument = z.string().regex(/^[A-Z][A-Z_]*$/, "must be the name of an argument: A-Z and _");
const image = z.strictObject({
  summary: z.string().min(1),
  bases: z.array(name).min(1),
  user: z.int().min(1, "must not be root"),
  port: z.int().min(1).max(65_535).optional(),
  /** Applications that run it. */
  serves: z.array(name),
  /** Build arguments, beside the bases, that the repository of an application passes to this Dockerfile. By application. */
  arguments: z.record(name, z.record(argument, z.string())).default({}),
  /** Whether it takes the list's tools. */
  tools: z.boolean().default(false),
  /** Images that are built with it from the sources here: by name, with their build arguments. */
  builds: z.record(name, z.record(argument, z.string())).default({}),
});
const listSchema = z.strictObject({ bases: z.record(name, base), tools: z.record(name, tool), images: z.record(name, image) }).superRefine((list, issues) => {
  const built = new Map<string, string>();
  for (const [of, { bases, builds }] of Object.entries(list.images)) {
    for (const one of bases)
      if (list.bases[one] === undefined)
        issues.addIssue({ code: "custom", path: ["images", of, "bases"], message: `names ${one}, which is no base of the list` });
    for (const one of Object.keys(builds)) {
      const other = built.get(one);
      if (other !== undefined) issues.addIssue({ code: "custom", path: ["images", of, "builds", one], message: `is built by ${other} too` });
      built.set(one, of);
    }
  }
});

export type ImageList = z.output<typeof listSchema>;

/** From the project's folder. */
export const LIST = path.join("images", "images.yaml");

/** @throws HomelabError E_IMAGES */
export function parseImageList(text: string): ImageList {
  let data: unknown;
  try {
    data = parse(text);
  } catch (cause) {
    throw new HomelabError("E_IMAGES", `${LIST} is no YAML`, { cause, subject: LIST });
  }
  const parsed = listSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  throw new HomelabError("E_IMAGES", parsed.error.issues.map((issue) => `${LIST}: ${issue.path.join(".")}: ${issue.message}`).join("\n"), { subject: LIST });
}

export const loadImageList = (root: string): ImageList => parseImageList(fs.readFileSync(path.join(root, LIST), "utf8"));

/** Name of the argument by which a Dockerfile gets a base. */
export const baseArgument = (of: string): string => of.toUpperCase().replaceAll("-", "_");

export interface Build {
  /** Name of what is built. */
  readonly name: string;
  /** From the project's folder. */
  readonly dockerfile: string;
  readonly context: string;
  readonly arguments: Readonly<Record<string, string>>;
  /** Bases and tools of which the list has no digest or checksum. */
  readonly unpinned: readonly string[];
}

export interface Labels {
  readonly source: string;
  readonly revision: string;
  readonly version: string;
}

/** Every build, by name. */
const buildNames = ({ images }: ImageList): string[] => Object.values(images).flatMap(({ builds }) => Object.keys(builds));

/** @throws HomelabError E_BUILD_UNKNOWN where nothing of the name is built here */
export function buildOf(list: ImageList, wanted: string, { source, revision, version }: Labels): Build {
  const [folder, image] = Object.entries(list.images).find(([, { builds }]) => builds[wanted] !== undefined) ?? [];
  if (folder === undefined || image === undefined) {
    const names = buildNames(list);
    const pattern = Object.entries(list.images).find(([of, { serves }]) => of === wanted || serves.includes(wanted));
    const meant = nearest(wanted, names);
    throw new HomelabError(
      "E_BUILD_UNKNOWN",
      `${LIST} builds no ${wanted}${pattern === undefined ? "" : `: its sources are in another repository, which builds by images/${pattern[0]}`}`,
      {
        subject: wanted,
        hint: meant === undefined ? `it builds: ${names.join(", ")}` : `did you mean ${meant}?`,
      },
    );
  }
  const bases = image.bases.map((one) => [one, list.bases[one] ?? ""] as const);
  const tools = image.tools ? Object.entries(list.tools) : [];
  const lines = tools.map(([of, { url, inside = "-", sha256 = "" }]) => `${of} ${url} ${sha256} ${inside}`);
  return {
    name: wanted,
    dockerfile: `images/${folder}/Dockerfile`,
    context: `images/${folder}`,
    arguments: {
      ...Object.fromEntries(bases.map(([one, reference]) => [baseArgument(one), reference])),
      ...(tools.length === 0 ? {} : { TOOLS: lines.join("\n") }),
      ...image.builds[wanted],
      TITLE: wanted,
      SOURCE: source,
      REVISION: revision,
      VERSION: version,
    },
    unpinned: [
      ...bases.filter(([, reference]) => !reference.includes("@")).map(([, reference]) => reference),
      ...tools.filter(([, { sha256 }]) => sha256 === undefined).map(([, { url }]) => url),
    ],
  };
}

export const allBuilds = (list: ImageList, labels: Labels): Build[] => buildNames(list).map((name) => buildOf(list, name, labels));

/** The list as a table of Markdown, for people and for docs/images.md. */
export function imageTable({ images, bases }: ImageList): string {
  const rows = Object.entries(images).map(([name, image]) => [
    `\`images/${name}\``,
    image.summary,
    image.bases.map((one) => bases[one]?.split("@")[0] ?? one).join(", "),
    `${image.user}${image.port === undefined ? "" : `, port ${image.port}`}`,
    image.serves.join(", ") || "-",
    Object.keys(image.builds).join(", ") || "in the repositories of the applications",
  ]);
  const all = [["image", "what it is", "bases", "user", "runs", "built here as"], ["---", "---", "---", "---", "---", "---"], ...rows];
  return `${all.map((row) => `| ${row.join(" | ")} |`).join("\n")}\n`;
}
