/** A policy pack as it lies in its folder: `PulumiPolicy.yaml`, and what starts it. */
import * as fs from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";
import { parse, YAMLParseError } from "yaml";
import { z } from "zod";
import { DeploymentError } from "../errors";
import { splitNodeArgs } from "../program/node-args";

const PROJECT_FILE = "PulumiPolicy.yaml";

const schema = z.looseObject({
  runtime: z.union([
    z.string().transform((name) => ({ name, options: undefined })),
    z.looseObject({ name: z.string(), options: z.looseObject({ nodeargs: z.string().optional() }).optional() }),
  ]),
  version: z.string().optional(),
  main: z.string().optional(),
});

export interface PackProject {
  /** Absolute. */
  folder: string;
  /** Overrides the version that the pack itself reports; undefined where the file has none. */
  version: string | undefined;
  /** Arguments of Node, before the runner. */
  nodeArgs: string[];
  /** The SDK's runner for policy packs, from the pack's own dependencies. */
  runner: string;
}

function readProject(folder: string): z.infer<typeof schema> {
  const file = path.join(folder, PROJECT_FILE);
  if (!fs.existsSync(file)) throw new DeploymentError(`policy pack ${folder} cannot be loaded: there is no ${PROJECT_FILE} in it`);
  try {
    const parsed = schema.safeParse(parse(fs.readFileSync(file, "utf8")));
    if (!parsed.success) throw new DeploymentError(`${file} does not describe a policy pack: ${z.prettifyError(parsed.error)}`);
    return parsed.data;
  } catch (thrown) {
    if (!(thrown instanceof YAMLParseError)) throw thrown;
    throw new DeploymentError(`${file} is not valid YAML: ${thrown.message}`);
  }
}

/** @throws DeploymentError that names the folder, where it holds no pack of Node or its dependencies are not installed */
export function packProject(given: string): PackProject {
  const folder = path.resolve(given);
  const { runtime, version, main } = readProject(folder);
  if (runtime.name !== "nodejs")
    throw new DeploymentError(`policy pack ${folder} has runtime ${runtime.name}, which the embedded engine does not run; the Pulumi CLI has it`);
  // The SDK's runner takes the entry point from package.json alone, in the CLI too.
  if (main !== undefined) throw new DeploymentError(`${path.join(folder, PROJECT_FILE)}: \`main\` is not supported; name the entry point in package.json`);
  try {
    const runner = createRequire(path.join(folder, "package.json")).resolve("@pulumi/pulumi/cmd/run-policy-pack");
    return { folder, version, nodeArgs: splitNodeArgs(runtime.options?.nodeargs ?? ""), runner };
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause)) throw cause;
    throw new DeploymentError(`policy pack ${folder} cannot find @pulumi/pulumi: its dependencies are not installed; run \`npm install\` there`);
  }
}
