import * as pulumi from "@pulumi/pulumi";
import { HomelabError } from "../../common/errors";
import type { PlannedOutputs } from "../../common/planned-outputs";
import type { Upstream } from "../build/context";
import type { LoadedStack } from "../load/stacks";
import { fromPlanned, readPlannedOutputs } from "./planned-outputs";
import { outputSchemas, SECRET_OUTPUTS } from "./schemas";

/** Where the outputs of other stacks come from. */
export interface UpstreamOptions {
  /** Stacks that may be read: the running stack's declared needs. */
  needs: readonly LoadedStack[];
  /** Folder with planned outputs, in a preview that was given one. */
  plannedDir: string | undefined;
  /** Called with `tools.vaultTokens` when an output without a value is read. */
  usedUnknown: (name: string) => void;
}

function missing(stack: string, key: string): HomelabError {
  return new HomelabError("E_UPSTREAM_OUTPUT", `the stack "${stack}" has no output "${key}"`, { subject: stack, hint: `bring "${stack}" up first` });
}

/** Checks a value from another stack's state with its schema. */
function checked(stack: LoadedStack, key: string, value: unknown): unknown {
  const { name } = stack;
  if (value === undefined || value === null) throw missing(name, key);
  // The issues of the schema are left out: they may quote the value, which may be a secret.
  if (outputSchemas(stack)[key]?.safeParse(value).success !== true) {
    throw new HomelabError("E_UPSTREAM_OUTPUT", `the output "${key}" of the stack "${name}" is not what this program expects`, {
      subject: name,
      hint: `bring "${name}" up with this version of the program first`,
    });
  }
  return value;
}

/**
 * The outputs in another stack's state, with no secret marks. The engine's function, and not a StackReference: that is a
 * resource of the reading stack, so each preview that uses planned outputs instead would show its removal.
 * @throws HomelabError E_UPSTREAM where there is no such state
 */
async function readState(stack: string): Promise<Readonly<Record<string, unknown>>> {
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${stack}`;
  try {
    const answer = await pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", { name }, {});
    return answer.outputs ?? {};
  } catch (cause) {
    throw new HomelabError("E_UPSTREAM", `the outputs of the stack "${stack}" cannot be read`, { cause, subject: stack, hint: `bring "${stack}" up first` });
  }
}

function partOf(stack: string, key: string, value: unknown, part: string | undefined): unknown {
  if (part === undefined) return value;
  const found = (value as Readonly<Record<string, unknown>>)[part];
  if (found === undefined) throw missing(stack, `${key}.${part}`);
  return found;
}

type Source = { planned: PlannedOutputs["outputs"] } | { state: Readonly<Record<string, unknown>> };

/** Where the outputs of a stack come from in this run: its preview in the same run, else its state. */
async function sourceOf(stack: string, options: UpstreamOptions): Promise<Source> {
  const planned = options.plannedDir === undefined ? undefined : await readPlannedOutputs(options.plannedDir, stack);
  return planned === undefined ? { state: await readState(stack) } : { planned: planned.outputs };
}

/** @param part key in the output, for an output that is a map, where only that entry is wanted */
function readOutput(stack: LoadedStack, key: string, source: Source, options: UpstreamOptions, part?: string): pulumi.Output<unknown> {
  const wanted = (value: unknown): unknown => partOf(stack.name, key, checked(stack, key, value), part);
  if ("state" in source) {
    const value: pulumi.Output<unknown> = pulumi.output(wanted(source.state[key]));
    return SECRET_OUTPUTS.has(key) ? pulumi.secret(value) : value;
  }
  const output = source.planned[key];
  if (output === undefined) throw missing(stack.name, key);
  if (!output.known) options.usedUnknown(`${stack.name}.${key}`);
  return fromPlanned(output.known ? { ...output, value: wanted(output.value) } : output);
}

/**
 * The outputs of the stacks that the running one needs, and of no others. All are read before the program starts, so that what
 * is missing is one clear error and not one in each resource. An output is checked, and recorded as used, when the program asks for it.
 * @throws HomelabError E_UPSTREAM, E_PLANNED_OUTPUTS; and E_UPSTREAM_OUTPUT when the program asks for an output that its schema refuses
 */
export async function loadUpstream(options: UpstreamOptions): Promise<Upstream> {
  const sources = new Map<string, { stack: LoadedStack; source: Source }>();
  for (const stack of options.needs) sources.set(stack.name, { stack, source: await sourceOf(stack.name, options) });
  const read = (name: string, key: string, part?: string): pulumi.Output<unknown> => {
    const found = sources.get(name);
    if (found === undefined) throw new Error(`the outputs of "${name}" are asked for, which is not needed`);
    return readOutput(found.stack, key, found.source, options, part);
  };
  // The types are those of the schemas with which each value was checked.
  return {
    templateIds: (stack) => read(stack, "templateIds") as pulumi.Output<Record<string, number>>,
    vault: (stack) => ({
      get address() {
        return read(stack, "vaultAddress") as pulumi.Output<string>;
      },
      get id() {
        return read(stack, "vaultId") as pulumi.Output<string>;
      },
      get tokens() {
        return read(stack, "vaultTokens") as pulumi.Output<Record<string, string>>;
      },
    }),
    text: (reference) =>
      ("image" in reference ? read(reference.from, "images", reference.image) : read(reference.from, reference.output)) as pulumi.Output<string>,
  };
}
