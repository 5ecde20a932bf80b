/** `preview --save-plan`, `up --plan` and `up --strict`. */
import type { DeploymentResult } from "../contracts";
import { CliError, EXIT_CODE } from "../errors";
import type { Plan } from "../plans/plan";
import { readPlan, writePlan } from "../plans/plan-file";
import type { Flags } from "./flags";
import type { ImportFile } from "./import-file";
import { cachingCodec, type StackContext } from "./stack-context";

/** The plan of `--plan`, which limits the update. @throws CliError for a file that is no plan, and for flags that exclude each other */
export function givenPlan(ctx: StackContext, flags: Flags): Plan | undefined {
  if (flags.has("strict") && flags.has("skip-preview")) throw new CliError("--strict cannot be used with --skip-preview; strict requires a preview");
  const file = flags.text("plan");
  return file === undefined ? undefined : readPlan(file, cachingCodec(ctx.settings.secrets()));
}

/** An import file holds the inputs of providers, which only a plan has whole. */
export const wantsPlan = (flags: Flags): boolean => flags.text("save-plan") !== undefined || flags.text("import-file") !== undefined || flags.has("strict");

/** Writes the preview's creations, as far as `--import-file` asks for them. @param file undefined where it does not */
export function saveImportFile(ctx: StackContext, flags: Flags, file: ImportFile | undefined, { plan }: DeploymentResult): void {
  const path = flags.text("import-file");
  if (path === undefined || file === undefined) return;
  file.write(path, plan ?? new Map(), cachingCodec(ctx.settings.secrets()), (message) => void process.stderr.write(`warning: ${message}\n`));
}

/** Writes what a preview found, and says how it is used. */
export function savePlan(ctx: StackContext, flags: Flags, { plan }: DeploymentResult): void {
  const file = flags.text("save-plan");
  if (file === undefined) return;
  if (plan === undefined) throw new CliError(`the preview made no plan for ${file}`, EXIT_CODE.failed);
  const codec = cachingCodec(ctx.settings.secrets());
  writePlan(file, plan, ctx.settings.values(), flags.has("show-secrets") ? { ...codec, shows: true } : codec);
  if (!flags.json)
    process.stderr.write(
      `Update plan written to '${file}'\nRun \`pulumi up --plan='${file}'\` to constrain the update to the operations planned by this preview\n`,
    );
}
