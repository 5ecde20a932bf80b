/** The package `pulumi`, which the engine itself provides: stack references, stashes and the look-up of resources. No process, no plugin. */
import { randomUUID } from "node:crypto";
import { STATUS } from "../../common/grpc/messages";
import type { DeploymentRequest } from "../contracts";
import { expectedMessage } from "../errors";
import type { ResourceState } from "../snapshot/types";
import { containsSecrets, containsUnknowns, type PropertyMap, sameValue, withoutSecrets } from "../wire/values";
import type { ProviderClient } from "./provider-client";
import { ProviderError } from "./provider-error";
import type { CheckFailure, DiffResult, ResourceRef } from "./provider-messages";

/** The calls that the engine makes of a provider, whether that is a plugin or the engine itself. */
export type Provider = Pick<
  ProviderClient,
  "configured" | "check" | "diff" | "diffConfig" | "create" | "update" | "read" | "delete" | "invoke" | "componentInputs" | "construct" | "callMethod"
>;

export const BUILTIN_PACKAGE = "pulumi";
const STACK_REFERENCE = "pulumi:pulumi:StackReference";
const STASH = "pulumi:index:Stash";

type StackOutputs = DeploymentRequest["stackOutputs"];

const failed = (message: string): ProviderError => new ProviderError(message, STATUS.UNKNOWN, undefined);

async function outputsOf(stackOutputs: StackOutputs, name: string): Promise<PropertyMap> {
  const outputs = await stackOutputs(name).catch((thrown: unknown) => {
    const message = expectedMessage(thrown);
    throw message === undefined ? thrown : failed(`stack "${name}": ${message}`);
  });
  if (outputs === undefined) throw failed(`unknown stack "${name}"`);
  return outputs;
}

async function referenced(stackOutputs: StackOutputs, inputs: PropertyMap): Promise<PropertyMap> {
  const { name } = withoutSecrets(inputs);
  if (typeof name !== "string") throw failed("a stack reference needs the name of a stack");
  const outputs = await outputsOf(stackOutputs, name);
  return { name, outputs, secretOutputNames: Object.keys(outputs).filter((key) => containsSecrets(outputs[key] ?? null)) };
}

const unknownType = (type: string): ProviderError => failed(`unrecognized resource type '${type}'`);
const INPUTS: Record<string, string> = { [STACK_REFERENCE]: "name", [STASH]: "input" };

/** Checks the inputs of the two types: each has exactly one, and it is required. */
function checked(type: string, news: PropertyMap): CheckFailure[] {
  const wanted = INPUTS[type];
  if (wanted === undefined) throw unknownType(type);
  const unknown = Object.keys(news).filter((key) => key !== wanted && !(type === STASH && key === "output"));
  const value = withoutSecrets(news)[wanted];
  const missing = value === undefined ? [{ property: wanted, reason: `missing required property "${wanted}"` }] : [];
  const odd =
    type === STACK_REFERENCE && value !== undefined && typeof value !== "string" ? [{ property: wanted, reason: `property "${wanted}" must be a string` }] : [];
  return [...unknown.map((property) => ({ property, reason: `unknown property "${property}"` })), ...missing, ...odd];
}

/** Resources that exist in the state alone, such as StackReference: no plugin is called, and nothing is deleted. */
export class BuiltinProvider implements Provider {
  readonly configured = true;

  constructor(private readonly stackOutputs: StackOutputs) {}

  async check({ type }: ResourceRef, _olds: PropertyMap, news: PropertyMap): Promise<{ inputs: PropertyMap; failures: CheckFailure[] }> {
    return { inputs: news, failures: checked(type, news) };
  }

  async diff({ type }: ResourceRef, _id: string, old: { inputs: PropertyMap }, news: PropertyMap): Promise<DiffResult> {
    const input = INPUTS[type];
    if (input === undefined) throw unknownType(type);
    const same = sameValue(old.inputs[input], news[input]);
    const replaces = !same && type === STACK_REFERENCE ? [input] : [];
    return { changes: same ? "none" : "some", replaces, deleteBeforeReplace: false, diffs: same ? [] : [input], detailedDiff: undefined };
  }

  async diffConfig(): Promise<undefined> {
    return undefined;
  }

  async create({ type }: ResourceRef, inputs: PropertyMap, _timeout: number, preview: boolean): Promise<{ id: string; properties: PropertyMap }> {
    if (type === STACK_REFERENCE && containsUnknowns(inputs)) return { id: "", properties: {} };
    if (type !== STACK_REFERENCE && type !== STASH) throw unknownType(type);
    const properties =
      type === STACK_REFERENCE ? await referenced(this.stackOutputs, inputs) : { input: inputs["input"] ?? null, output: inputs["input"] ?? null };
    return { id: preview ? "" : randomUUID(), properties };
  }

  /** A stash keeps the value of its creation: `input` is the program's latest value, `output` the stashed one. */
  async update({ type }: ResourceRef, _id: string, old: { outputs: PropertyMap }, news: PropertyMap): Promise<PropertyMap> {
    if (type !== STASH) throw unknownType(type);
    return { input: news["input"] ?? null, output: old.outputs["output"] ?? null };
  }

  async read({ type }: ResourceRef, id: string, inputs: PropertyMap | undefined, outputs: PropertyMap | undefined) {
    if (type === STACK_REFERENCE) return { id, inputs, outputs: await referenced(this.stackOutputs, inputs ?? { name: id }) };
    if (type !== STASH) throw unknownType(type);
    return { id, inputs, outputs: outputs ?? {} };
  }

  async delete(): Promise<void> {
    // The resource exists only in the state.
  }

  async invoke(token: string): Promise<never> {
    throw failed(`the embedded engine has no function ${token}; the Pulumi CLI may have it`);
  }

  componentInputs(): never {
    throw failed("the package pulumi has no components");
  }

  async construct(): Promise<never> {
    return this.componentInputs();
  }

  async callMethod(): Promise<never> {
    throw failed("the resources of the package pulumi have no methods");
  }
}

/**
 * @param resources what this run has registered, by URN
 * @throws ProviderError with the reason, which the program gets
 */
export async function invokeBuiltin(
  request: DeploymentRequest,
  token: string,
  args: PropertyMap,
  resources: (urn: string) => ResourceState | undefined,
): Promise<PropertyMap> {
  switch (token) {
    case "pulumi:pulumi:readStackOutputs": {
      const name = String(args["name"]);
      return { name, outputs: await outputsOf(request.stackOutputs, name) };
    }
    case "pulumi:pulumi:getResource": {
      const urn = String(args["urn"]);
      const state = resources(urn);
      if (state === undefined) throw failed(`unknown resource ${urn}`);
      return { urn, id: state.id ?? "", state: state.outputs };
    }
    default:
      throw failed(`the embedded engine has no function ${token}; the Pulumi CLI may have it`);
  }
}
