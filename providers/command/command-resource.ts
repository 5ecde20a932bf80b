/** What command:remote:Command and command:local:Command have in common. */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { diffValues } from "../sdk/diff";
import { checkInputs, parseInputs } from "../sdk/inputs";
import { specOfZod } from "../sdk/package-schema";
import type { CallContext, CheckCall, CheckResult, DiffResult, ResourceDefinition } from "../sdk/resource";
import { type Json, type JsonObject, type Values, withoutNulls, withoutNullValues } from "../sdk/values";

/** Inputs of both. */
export const commonInputs = {
  create: z.string().optional(),
  update: z.string().optional(),
  delete: z.string().optional(),
  triggers: z.array(z.unknown()).optional(),
  stdin: z.string().optional(),
  environment: z.record(z.string(), z.string()).optional(),
  logging: z.enum(["stdout", "stderr", "stdoutAndStderr", "none"]).optional(),
  addPreviousOutputInEnv: z.boolean().optional(),
};

interface CommonInputs {
  create?: string | undefined;
  update?: string | undefined;
  delete?: string | undefined;
  addPreviousOutputInEnv?: boolean | undefined;
}

export interface Output {
  stdout: string;
  stderr: string;
}

export interface CommandKind<I extends CommonInputs> {
  token: string;
  inputs: z.ZodType<I>;
  /** Inputs that the official provider marks as secret; `a.b` is the field `b` of `a`. */
  secretInputs?: readonly string[];
  /** Fills defaults in. */
  fill?(inputs: Values): Values;
  run(command: string, inputs: I, previous: Record<string, string>, call: CallContext): Promise<Output>;
}

/** The variables with the output of the run before, unless that is empty or unwanted. */
function previousOutput(inputs: CommonInputs, outputs: JsonObject): Record<string, string> {
  if (inputs.addPreviousOutputInEnv === false) return {};
  const named: [string, Json | undefined][] = [
    ["PULUMI_COMMAND_STDOUT", outputs["stdout"]],
    ["PULUMI_COMMAND_STDERR", outputs["stderr"]],
  ];
  return Object.fromEntries(named.filter((entry): entry is [string, string] => typeof entry[1] === "string" && entry[1] !== ""));
}

const withoutOutputs = (outputs: JsonObject): JsonObject => {
  const { stdout: _stdout, stderr: _stderr, assets: _assets, archive: _archive, ...inputs } = outputs;
  return inputs;
};

/** A change within a secret is shown as a change of the whole secret: which part differs must not be seen. */
function withoutSecretPaths(diff: DiffResult, secretInputs: readonly string[]): DiffResult {
  const secretOf = (path: string) => secretInputs.find((name) => path.startsWith(`${name}.`));
  const detailed = Object.entries(diff.detailed).map(([path, entry]): [string, typeof entry] => {
    const secret = secretOf(path);
    return secret === undefined ? [path, entry] : [secret, { ...entry, kind: "update" }];
  });
  return { ...diff, detailed: Object.fromEntries(detailed) };
}

/** Rules of the official provider: the state's own copy of the inputs is compared, and only `triggers` as a whole replaces. */
export function defineCommand<I extends CommonInputs>(kind: CommandKind<I>): ResourceDefinition<unknown> {
  // Null is as good as absent, as in the official provider, whose states hold it.
  const typed = (inputs: JsonObject): I => parseInputs(kind.inputs, withoutNulls(inputs));
  return {
    token: kind.token,
    spec: () => specOfZod(kind.inputs, ["stdout", "stderr"]),
    computed: ["stdout", "stderr"],
    computedOnUpdate: ["stdout", "stderr"],
    secretInputs: kind.secretInputs ?? [],
    async check({ news }: CheckCall<unknown>): Promise<CheckResult> {
      const given = withoutNullValues(news);
      const inputs = kind.fill?.(given) ?? given;
      return { inputs, failures: checkInputs(kind.inputs, inputs) };
    },
    async diff({ oldInputs, news }) {
      const diff = withoutSecretPaths(diffValues(withoutNullValues(oldInputs), withoutNullValues(news), { inputDiff: false }), kind.secretInputs ?? []);
      // The SDK itself asks to replace on "triggers[*]"; the provider does so when the list as a whole comes or goes.
      const whole = diff.detailed["triggers"];
      if (whole === undefined) return diff;
      const detailed = { ...diff.detailed, triggers: { ...whole, kind: whole.kind === "add" ? ("add-replace" as const) : ("delete-replace" as const) } };
      return { ...diff, detailed, replaces: ["triggers"] };
    },
    async create({ name, inputs, ...call }) {
      const parsed = typed(inputs);
      const output = parsed.create === undefined ? { stdout: "", stderr: "" } : await kind.run(parsed.create, parsed, {}, call);
      return { id: `${name}${randomBytes(4).toString("hex")}`, outputs: { ...inputs, ...output } };
    },
    async update({ inputs, oldOutputs, ...call }) {
      const parsed = typed(inputs);
      const command = parsed.update ?? parsed.create;
      const previous = { stdout: oldOutputs["stdout"] ?? "", stderr: oldOutputs["stderr"] ?? "" };
      const output = command === undefined ? previous : await kind.run(command, parsed, previousOutput(parsed, oldOutputs), call);
      return { ...inputs, ...output };
    },
    async delete({ outputs, ...call }) {
      const parsed = typed(withoutOutputs(outputs));
      if (parsed.delete !== undefined) await kind.run(parsed.delete, parsed, previousOutput(parsed, outputs), call);
    },
  };
}
