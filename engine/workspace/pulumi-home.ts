/** Files of the user: credentials (current backend) and the selected stack of each project (engine-contract A9). */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { z } from "zod";
import { readEnv } from "../../common/env";
import { systemErrorCode } from "../../common/errors";
import { writeFileAtomic } from "../../common/files";
import { CliError, EXIT_CODE } from "../errors";

const pulumiHome = (): string => readEnv("PULUMI_HOME") ?? path.join(os.homedir(), ".pulumi");
export const pluginsDir = (): string => path.join(pulumiHome(), "plugins");

function readJson<T>(file: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.parse(JSON.parse(fs.readFileSync(file, "utf8")));
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT") return undefined;
    throw new CliError(`${file} cannot be read`, EXIT_CODE.failed, { cause });
  }
}

const credentialsSchema = z.looseObject({
  current: z.string().optional(),
  accessTokens: z.record(z.string(), z.string()).nullish(),
  accounts: z.record(z.string(), z.unknown()).nullish(),
});

const credentialsFile = (): string => path.join(pulumiHome(), "credentials.json");

export function currentLogin(): string | undefined {
  return readJson(credentialsFile(), credentialsSchema)?.current || undefined;
}

/** @param url undefined logs out */
export function saveLogin(url: string | undefined): void {
  const old = readJson(credentialsFile(), credentialsSchema) ?? {};
  const next =
    url === undefined
      ? { ...old, current: "" }
      : {
          ...old,
          current: url,
          accessTokens: { ...old.accessTokens, [url]: "" },
          accounts: { ...old.accounts, [url]: { lastValidatedAt: "0001-01-01T00:00:00Z" } },
        };
  fs.mkdirSync(pulumiHome(), { recursive: true, mode: 0o700 });
  writeFileAtomic(credentialsFile(), `${JSON.stringify(next, null, 4)}\n`);
}

const selectionSchema = z.looseObject({ stack: z.string().optional(), stacks: z.record(z.string(), z.string()).optional() });

function selectionFile(project: { name: string; file: string }): string {
  return path.join(pulumiHome(), "workspaces", `${project.name}-${createHash("sha1").update(project.file).digest("hex")}-workspace.json`);
}

/** The full name of the selected stack on a backend. */
export function selectedStack(project: { name: string; file: string }, backendUrl: string): string | undefined {
  const found = readJson(selectionFile(project), selectionSchema);
  return found?.stacks?.[backendUrl] ?? found?.stack;
}

export function selectStack(project: { name: string; file: string }, backendUrl: string, fullName: string | undefined): void {
  const file = selectionFile(project);
  const { [backendUrl]: _old, ...others } = readJson(file, selectionSchema)?.stacks ?? {};
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  writeFileAtomic(file, JSON.stringify({ stacks: fullName === undefined ? others : { ...others, [backendUrl]: fullName } }));
}
