/** `stack tag …`: a file of names and values beside the stack's. */
import { z } from "zod";
import type { Backend } from "../backend/backend";
import { CliError, EXIT_CODE } from "../errors";
import type { Flags } from "./flags";
import { openStack, shownStack } from "./stack-context";
import { print, table } from "./terminal";

export const tagsKey = (project: string, stack: string): string => `.pulumi/stacks/${project}/${stack}.pulumi-tags`;
const tagsSchema = z.object({ version: z.literal(1), tags: z.record(z.string(), z.string()) });

type Tags = Record<string, string>;

export async function readTags(backend: Backend, project: string, stack: string): Promise<Tags> {
  const text = await backend.bucket.read(tagsKey(project, stack));
  return text === undefined ? {} : tagsSchema.parse(JSON.parse(text)).tags;
}

async function change(flags: Flags, next: (tags: Tags) => Tags): Promise<number> {
  const { project, backend, stack } = await openStack(flags);
  const tags = next(await readTags(backend, project.name, stack));
  await backend.bucket.write(tagsKey(project.name, stack), JSON.stringify({ version: 1, tags }));
  return EXIT_CODE.ok;
}

export async function tagList(flags: Flags): Promise<number> {
  const { project, backend, stack } = await openStack(flags);
  const tags = await readTags(backend, project.name, stack);
  print(flags.json ? JSON.stringify(tags, null, 2) : table([["NAME", "VALUE"], ...Object.entries(tags)]));
  return EXIT_CODE.ok;
}

export async function tagGet(flags: Flags): Promise<number> {
  const [name = ""] = flags.words;
  const { project, backend, stack } = await openStack(flags);
  const value = (await readTags(backend, project.name, stack))[name];
  if (value === undefined) throw new CliError(`stack tag '${name}' not found for stack '${shownStack(flags, project, stack)}'`);
  print(value);
  return EXIT_CODE.ok;
}

export const tagSet = (flags: Flags): Promise<number> => {
  const [name = "", value = ""] = flags.words;
  return change(flags, (tags) => ({ ...tags, [name]: value }));
};

export const tagRemove = (flags: Flags): Promise<number> => {
  const [name = ""] = flags.words;
  return change(flags, ({ [name]: _gone, ...rest }) => rest);
};
