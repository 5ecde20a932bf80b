/** The package `pulumi`, which the engine itself provides: stack references and the look-up of resources. */
import type { DeploymentRequest } from "../contracts";
import { StepFailed } from "../errors";
import type { ResourceState } from "../snapshot/types";
import { containsSecrets, type PropertyMap } from "../wire/values";

export const BUILTIN_PACKAGE = "pulumi";
export const STACK_REFERENCE = "pulumi:pulumi:StackReference";

async function outputsOf(request: DeploymentRequest, name: string): Promise<PropertyMap> {
  const outputs = await request.stackOutputs(name);
  if (outputs === undefined) throw new StepFailed(`unknown stack "${name}"`);
  return outputs;
}

/** Reads a stack reference. */
export async function readBuiltin(request: DeploymentRequest, state: ResourceState): Promise<PropertyMap> {
  if (state.type !== STACK_REFERENCE) throw new StepFailed(`unrecognized resource type '${state.type}'`);
  const { name } = state.inputs;
  if (typeof name !== "string") throw new StepFailed("a stack reference needs the name of a stack");
  const outputs = await outputsOf(request, name);
  const secretOutputNames = Object.keys(outputs).filter((key) => containsSecrets(outputs[key] ?? null));
  return { name, outputs, secretOutputNames };
}

/** @param resources what this run has registered, by URN */
export async function invokeBuiltin(
  request: DeploymentRequest,
  token: string,
  args: PropertyMap,
  resources: (urn: string) => ResourceState | undefined,
): Promise<PropertyMap> {
  switch (token) {
    case "pulumi:pulumi:readStackOutputs": {
      const name = String(args["name"]);
      return { name, outputs: await outputsOf(request, name) };
    }
    case "pulumi:pulumi:getResource": {
      const urn = String(args["urn"]);
      const state = resources(urn);
      if (state === undefined) throw new StepFailed(`unknown resource ${urn}`);
      return { urn, id: state.id ?? "", state: state.outputs };
    }
    default:
      throw new StepFailed(`the embedded engine has no function ${token}; the Pulumi CLI may have it`);
  }
}
