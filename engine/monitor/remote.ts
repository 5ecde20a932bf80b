/** Components that a plugin makes (Construct), and methods (Call). The plugin receives what it needs to call this deployment itself. */
import * as provider from "@pulumi/pulumi/proto/provider_pb.js";
import * as pb from "@pulumi/pulumi/proto/resource_pb.js";
import type { DeploymentRequest } from "../contracts";
import type { Provider } from "../providers/builtin";
import { fromStruct, toStruct } from "../wire/struct";
import { flattenOutputs, flattenResources, outputDependencies } from "../wire/values";

/** What a plugin is told about the deployment. */
export interface PluginCaller {
  request: DeploymentRequest;
  preview: boolean;
  /** Where engine and monitor listen. */
  address: string;
}

/** The fields about the deployment that both requests have. */
function fill<R extends provider.ConstructRequest | provider.CallRequest>(message: R, { request, preview, address }: PluginCaller): R {
  message.setProject(request.project.name);
  message.setStack(request.stack);
  message.setOrganization("organization");
  const config = message.getConfigMap();
  for (const [key, value] of Object.entries(request.config.values)) config.set(key, value);
  message.setConfigsecretkeysList(request.config.secretKeys);
  message.setDryrun(preview);
  message.setParallel(request.options.parallel);
  message.setMonitorendpoint(address);
  message.setAcceptsOutputValues(true);
  return message;
}

function constructHooks(given: pb.RegisterResourceRequest.ResourceHooksBinding | undefined): provider.ConstructRequest.ResourceHooksBinding | undefined {
  if (given === undefined) return undefined;
  return new provider.ConstructRequest.ResourceHooksBinding()
    .setBeforeCreateList(given.getBeforeCreateList())
    .setAfterCreateList(given.getAfterCreateList())
    .setBeforeUpdateList(given.getBeforeUpdateList())
    .setAfterUpdateList(given.getAfterUpdateList())
    .setBeforeDeleteList(given.getBeforeDeleteList())
    .setAfterDeleteList(given.getAfterDeleteList());
}

/**
 * Has the plugin make a component; the plugin registers it and its children with this monitor before it answers.
 * @throws ProviderError
 */
export async function construct(
  client: Provider,
  request: pb.RegisterResourceRequest,
  parent: string | undefined,
  facts: PluginCaller,
): Promise<pb.RegisterResourceResponse> {
  const message = fill(new provider.ConstructRequest(), facts);
  message.setType(request.getType());
  message.setName(request.getName());
  message.setParent(parent ?? "");
  message.setInputs(client.componentInputs(fromStruct(request.getObject())));
  request.getPropertydependenciesMap().forEach((value: pb.RegisterResourceRequest.PropertyDependencies, key: string) => {
    message.getInputdependenciesMap().set(key, new provider.ConstructRequest.PropertyDependencies().setUrnsList(value.getUrnsList()));
  });
  request.getProvidersMap().forEach((reference: string, name: string) => {
    message.getProvidersMap().set(name, reference);
  });
  message.setDependenciesList(request.getDependenciesList());
  if (request.hasProtect()) message.setProtect(request.getProtect() === true);
  message.setAliasesList(request.getAliasesList());
  message.setAdditionalsecretoutputsList(request.getAdditionalsecretoutputsList());
  const timeouts = request.getCustomtimeouts();
  if (timeouts !== undefined) {
    const { CustomTimeouts } = provider.ConstructRequest;
    message.setCustomtimeouts(new CustomTimeouts().setCreate(timeouts.getCreate()).setUpdate(timeouts.getUpdate()).setDelete(timeouts.getDelete()));
  }
  message.setDeletedwith(request.getDeletedwith());
  message.setReplaceWithList(request.getReplaceWithList());
  message.setReplacementTrigger(request.getReplacementTrigger());
  if (request.getDeletebeforereplacedefined() || request.getDeletebeforereplace()) message.setDeletebeforereplace(request.getDeletebeforereplace());
  message.setIgnorechangesList(request.getIgnorechangesList());
  message.setReplaceonchangesList(request.getReplaceonchangesList());
  if (request.hasRetainondelete()) message.setRetainondelete(request.getRetainondelete() === true);
  message.setResourceHooks(constructHooks(request.getHooks()));
  const made = await client.construct(message);
  const reply = new pb.RegisterResourceResponse();
  reply.setUrn(made.getUrn());
  const state = fromStruct(made.getState());
  const outputs = flattenOutputs(state);
  reply.setObject(toStruct(request.getAcceptresources() ? outputs : flattenResources(outputs)));
  for (const [key, value] of Object.entries(state)) {
    const told = made.getStatedependenciesMap().get(key)?.getUrnsList() ?? [];
    const urns = [...new Set([...told, ...outputDependencies(value)])];
    reply.getPropertydependenciesMap().set(key, new pb.RegisterResourceResponse.PropertyDependencies().setUrnsList(urns));
  }
  return reply;
}

/** @throws ProviderError */
export async function call(client: Provider, request: pb.ResourceCallRequest, facts: PluginCaller): Promise<provider.CallResponse> {
  const message = fill(new provider.CallRequest(), facts);
  message.setTok(request.getTok());
  const args = fromStruct(request.getArgs());
  message.setArgs(client.componentInputs(args));
  for (const [key, value] of Object.entries(args)) {
    const told = request.getArgdependenciesMap().get(key)?.getUrnsList() ?? [];
    const urns = [...new Set([...told, ...outputDependencies(value)])];
    message.getArgdependenciesMap().set(key, new provider.CallRequest.ArgumentDependencies().setUrnsList(urns));
  }
  const answer = await client.callMethod(message);
  const reply = new provider.CallResponse();
  const result = fromStruct(answer.getReturn());
  reply.setReturn(toStruct(flattenOutputs(result)));
  for (const [key, value] of Object.entries(result)) {
    const told = answer.getReturndependenciesMap().get(key)?.getUrnsList() ?? [];
    const urns = [...new Set([...told, ...outputDependencies(value)])];
    reply.getReturndependenciesMap().set(key, new provider.CallResponse.ReturnDependencies().setUrnsList(urns));
  }
  reply.setFailuresList(answer.getFailuresList());
  return reply;
}
