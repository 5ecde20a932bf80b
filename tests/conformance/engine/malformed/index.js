// Requests with a malformed URN or provider reference, made by hand. The engine's answers are the stack's output.
const pulumi = require("@pulumi/pulumi");
const { Alias } = require("@pulumi/pulumi/proto/alias_pb.js");
const pb = require("@pulumi/pulumi/proto/resource_pb.js");

const NONE = "a";
const NO_PROVIDER = "urn:pulumi:dev::conf::exp:index:Res::b::id";
const register = (tell) => ["registerResource", tell(new pb.RegisterResourceRequest().setType("exp:index:Res").setName("r").setCustom(true))];
const read = (tell) => ["readResource", tell(new pb.ReadResourceRequest().setType("exp:index:Res").setName("r").setId("x"))];
const withMap = (request, map, key, value) => {
  request[map]().set(key, value);
  return request;
};
const needs = (urn) => new pb.RegisterResourceRequest.PropertyDependencies().setUrnsList([urn]);

const REQUESTS = {
  alias: register((r) => r.setAliasesList([new Alias().setUrn(NONE)])),
  "alias without a URN": register((r) => r.setAliasesList([new Alias()])),
  "alias that the SDK resolved": register((r) => r.setAliasurnsList([NONE])),
  "parent of an alias": register((r) => r.setAliasesList([new Alias().setSpec(new Alias.Spec().setParenturn(NONE))])),
  parent: register((r) => r.setParent(NONE)),
  dependency: register((r) => r.setDependenciesList([NONE])),
  "dependency of a property": register((r) => withMap(r, "getPropertydependenciesMap", "p", needs(""))),
  "deleted with": register((r) => r.setDeletedwith(NONE)),
  provider: register((r) => r.setProvider(NONE)),
  "provider that is none": register((r) => r.setProvider(NO_PROVIDER)),
  "provider without a URN": register((r) => r.setProvider("a::id")),
  "parent of a read": read((r) => r.setParent(NONE)),
  "dependency of a read": read((r) => r.setDependenciesList([NONE])),
  // The provider of a read is not among them: the CLI finds it in the step, and fails the run.
  outputs: ["registerResourceOutputs", new pb.RegisterResourceOutputsRequest().setUrn(NONE)],
  "provider of a function": ["invoke", new pb.ResourceInvokeRequest().setTok("exp:index:fn").setProvider(NONE)],
  "provider of a method": ["call", new pb.ResourceCallRequest().setTok("exp:index:fn").setProvider(NONE)],
};

const monitor = pulumi.runtime.getMonitor();
const ask = ([method, request]) =>
  new Promise((resolve) => {
    monitor[method](request, (error) => resolve(error === null ? "taken" : `${error.code}: ${error.details}`));
  });

module.exports = async () => {
  const said = {};
  for (const [name, request] of Object.entries(REQUESTS)) said[name] = await ask(request);
  return { said };
};
