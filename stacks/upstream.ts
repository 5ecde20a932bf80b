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
 * The outputs in another stack's state. The engine's function, and not a StackReference: that is a resource of the reading
 * stack, so each preview that uses planned outputs instead would show its removal.
 */
function readState(stack: StackName): pulumi.Output<Record<string, unknown>> {
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${stack}`;
  const answer = pulumi.runtime.invokeOutput<{ outputs: Record<string, unknown> }>("pulumi:pulumi:readStackOutputs", { name }, {});
  // One secret makes the whole answer secret; which outputs are, SECRET_OUTPUTS says.
  return pulumi.unsecret(answer).apply(({ outputs }) => outputs);
}

/** Reads outputs one by one, as they are asked for: planned ones in a preview of the whole estate, else those of the state. */
function outputsOf(stack: StackName, options: UpstreamOptions): Record<string, pulumi.Output<unknown>> {
  let planned: PlannedOutputs | undefined | null = null;
  let state: pulumi.Output<Record<string, unknown>> | undefined;
  const read = (key: string): pulumi.Output<unknown> => {
    if (planned === null) planned = options.plannedDir === undefined ? undefined : readPlannedOutputs(options.plannedDir, stack);
    if (planned) {
      const output = planned.outputs[key];
      if (output === undefined) throw missing(stack, key);
      if (!output.known) options.usedUnknown(`${stack}.${key}`);
      return fromPlanned(output.known ? { ...output, value: checked(stack, key, output.value) } : output);
    }
    state ??= readState(stack);
    const value = state.apply((outputs) => checked(stack, key, outputs[key]));
    return SECRET_OUTPUTS.has(key) ? pulumi.secret(value) : value;
  };
  const cache = new Map<string, pulumi.Output<unknown>>();
  const outputs: Record<string, pulumi.Output<unknown>> = {};
  for (const key of Object.keys(OUTPUT_SCHEMAS[stack].shape)) {
    Object.defineProperty(outputs, key, {
      enumerable: true,
      get: () => {
        const known = cache.get(key) ?? read(key);
        cache.set(key, known);
        return known;
      },
    });
  }
  return outputs;
}

/**
 * The outputs of the stacks that the running one needs, and of no others. A stack's state is read when its first output is.
 */
export function createUpstream(options: UpstreamOptions): { readonly [K in StackName]: Outputs<K> } {
  const upstream = Object.fromEntries(options.needs.map((name) => [name, outputsOf(name, options)]));
  // Who gets it sees only the declared needs (StackProgram); the keys and values are those of the schema that the types are of.
  return upstream as { readonly [K in StackName]: Outputs<K> };
}
