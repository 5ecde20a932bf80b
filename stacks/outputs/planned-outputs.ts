/**
 * The only module that makes and inspects unknown outputs. A preview of stacks that are not built yet has many of them. The SDK exports
 * `unknown` and `isSecret`, but has no public way to ask whether an output is known. This works with the pinned SDK: check it when the SDK
 * is upgraded.
 */
import * as fs from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { systemClock } from "../../common/clock";
import { HomelabError } from "../../common/errors";
import { replaceFile } from "../../common/files";
import { type PlannedOutputs, pendingFile, plannedOutputsFile, plannedOutputsSchema } from "../../common/planned-outputs";

/** A method of the SDK's outputs that its types do not have. */
interface OutputInternals {
  promise(withUnknowns: boolean): Promise<unknown>;
}

/** An output without a value yet. */
export function unknownOutput(secret: boolean): pulumi.Output<unknown> {
  const output: pulumi.Output<unknown> = pulumi.output(pulumi.unknown);
  return secret ? pulumi.secret(output) : output;
}

type Planned = PlannedOutputs["outputs"][string];

/** What an output will be, as far as a preview knows it. A value with one unknown part counts as unknown. */
export async function inspectOutput(input: pulumi.Input<unknown>): Promise<Planned> {
  const output = pulumi.output(input);
  const value = await (output as unknown as OutputInternals).promise(true);
  const secret = await pulumi.isSecret(output);
  return pulumi.containsUnknowns(value) || value === undefined ? { known: false, secret } : { known: true, secret, value };
}

/** Writes what this preview's stack will give, for the previews downstream; readable by its owner only. */
export async function writePlannedOutputs(
  folder: string,
  stack: string,
  outputs: Readonly<Record<string, pulumi.Input<unknown>>>,
  usedUnknowns: readonly string[],
): Promise<void> {
  const planned: PlannedOutputs = { version: 1, stack, outputs: {}, usedUnknowns: [...usedUnknowns] };
  for (const [name, value] of Object.entries(outputs)) planned.outputs[name] = await inspectOutput(value);
  // The folder is this preview's alone, and the stacks that wait for the file would wait for the disk.
  replaceFile(plannedOutputsFile(folder, stack), `${JSON.stringify(planned)}\n`, 0o600);
}

/** Interval at which a program looks whether the stack that it waits for has planned its outputs. */
const POLL_MS = 15;

/**
 * The planned outputs of an upstream stack; undefined where this run did not preview it. Waits for a preview that is pending: programs may
 * be started early, so that they are loaded by then.
 * @throws HomelabError E_PLANNED_OUTPUTS where the file is damaged
 */
export async function readPlannedOutputs(folder: string, stack: string): Promise<PlannedOutputs | undefined> {
  const file = plannedOutputsFile(folder, stack);
  // In this order: the other program writes the file before the mark is removed.
  const pending = (): boolean => fs.existsSync(pendingFile(folder, stack));
  const engine = process.ppid;
  while (pending() && !fs.existsSync(file)) {
    await systemClock.sleep(POLL_MS);
    if (process.ppid !== engine)
      throw new HomelabError("E_PLANNED_OUTPUTS", `the engine ended while this program waited for "${stack}"`, { hint: "run the preview again" });
  }
  if (!fs.existsSync(file)) return undefined;
  try {
    return plannedOutputsSchema.parse(JSON.parse(fs.readFileSync(file, "utf8")));
  } catch {
    // No cause: parsers quote the text, which may hold secrets.
    throw new HomelabError("E_PLANNED_OUTPUTS", `the planned outputs of "${stack}" cannot be read`, { subject: file, hint: "run the preview again" });
  }
}

/** A planned output as an output of this program. */
export function fromPlanned(planned: Planned): pulumi.Output<unknown> {
  if (!planned.known) return unknownOutput(planned.secret);
  const output: pulumi.Output<unknown> = pulumi.output(planned.value);
  return planned.secret ? pulumi.secret(output) : output;
}
