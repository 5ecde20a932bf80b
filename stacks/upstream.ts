import * as pulumi from "@pulumi/pulumi";
import { HomelabError } from "../common/errors";
import type { PlannedOutputs } from "../common/planned-outputs";
import { OUTPUT_SCHEMAS, SECRET_OUTPUTS, type StackName } from "./outputs";
import { fromPlanned, readPlannedOutputs } from "./planned-outputs";
import type { Outputs } from "./program";

/** Where the outputs of other stacks come from. */
export interface UpstreamOptions {
  /** Stacks that may be read: the running stack's declared needs. */
  needs: readonly StackName[];
  /** Folder with planned outputs, in a preview that was given one. */
  plannedDir: string | undefined;
  /** Called with `tools.vaultToken` when an output without a value is read. */
  usedUnknown: (name: string) => void;
}

function missing(stack: StackName, key: string): HomelabError {
  return new HomelabError("E_UPSTREAM_OUTPUT", `the stack "${stack}" has no output "${key}"`, { subject: stack, hint: `bring "${stack}" up first` });
}

/** Checks a value from another stack's state against what this program's types say about it. */
function checked(stack: StackName, key: string, value: unknown): unknown {
  if (value === undefined || value === null) throw missing(stack, key);
  const shape: Record<string, { safeParse(value: unknown): { success: boolean } }> = OUTPUT_SCHEMAS[stack].shape;
  // The issues of the schema are left out: they may quote the value, which may be a secret.
  if (shape[key]?.safeParse(value).success !== true) {
    throw new HomelabError("E_UPSTREAM_OUTPUT", `the output "${key}" of the stack "${stack}" is not what this program expects`, {
      subject: stack,
      hint: `bring "${stack}" up with this version of the program first`,
    });
  }
  return value;
}

/**
 * The outputs in another stack's state, with no secret marks. The engine's function, and not a StackReference: that is a
 * resource of the reading stack, so each preview that uses planned outputs instead would show its removal.
 * @throws HomelabError E_UPSTREAM where there is no such state
 */
async function readState(stack: StackName): Promise<Readonly<Record<string, unknown>>> {
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${stack}`;
  try {
    const answer = await pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", { name }, {});
    return answer.outputs ?? {};
  } catch (cause) {
    throw new HomelabError("E_UPSTREAM", `the outputs of the stack "${stack}" cannot be read`, { cause, subject: stack, hint: `bring "${stack}" up first` });
  }
}

type Source = { planned: PlannedOutputs["outputs"] } | { state: Readonly<Record<string, unknown>> };

/** Where the outputs of a stack come from in this run: its preview in the same run, else its state. */
async function sourceOf(stack: StackName, options: UpstreamOptions): Promise<Source> {
  const planned = options.plannedDir === undefined ? undefined : await readPlannedOutputs(options.plannedDir, stack);
  return planned === undefined ? { state: await readState(stack) } : { planned: planned.outputs };
}

function readOutput(stack: StackName, key: string, source: Source, options: UpstreamOptions): pulumi.Output<unknown> {
  if ("state" in source) {
    const value: pulumi.Output<unknown> = pulumi.output(checked(stack, key, source.state[key]));
    return SECRET_OUTPUTS.has(key) ? pulumi.secret(value) : value;
  }
  const output = source.planned[key];
  if (output === undefined) throw missing(stack, key);
  if (!output.known) options.usedUnknown(`${stack}.${key}`);
  return fromPlanned(output.known ? { ...output, value: checked(stack, key, output.value) } : output);
}

/** Outputs that are checked, and noted as used, one by one when the program asks for them. */
function outputsOf(stack: StackName, source: Source, options: UpstreamOptions): Record<string, pulumi.Output<unknown>> {
  const outputs: Record<string, pulumi.Output<unknown>> = {};
  for (const key of Object.keys(OUTPUT_SCHEMAS[stack].shape)) {
    Object.defineProperty(outputs, key, { enumerable: true, get: () => readOutput(stack, key, source, options) });
  }
  return outputs;
}

/**
 * The outputs of the stacks that the running one needs, and of no others. All are read before the program starts, so that what
 * is missing is one clear error and not one in each resource.
 * @throws HomelabError E_UPSTREAM, E_PLANNED_OUTPUTS; and E_UPSTREAM_OUTPUT when an output is asked for that is not as it must be
 */
export async function loadUpstream(options: UpstreamOptions): Promise<{ readonly [K in StackName]: Outputs<K> }> {
  const upstream: Record<string, unknown> = {};
  for (const stack of options.needs) upstream[stack] = outputsOf(stack, await sourceOf(stack, options), options);
  // Who gets it sees only the declared needs (StackProgram); the keys and values are those of the schema that the types are of.
  return upstream as { readonly [K in StackName]: Outputs<K> };
}
