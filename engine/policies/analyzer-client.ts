/** One running policy pack: its protocol as typed calls (the SDK's analyzer.proto). */
import * as grpc from "@grpc/grpc-js";
import { AnalyzerClient as Client } from "@pulumi/pulumi/proto/analyzer_grpc_pb.js";
import * as pb from "@pulumi/pulumi/proto/analyzer_pb.js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import { GRPC_OPTIONS } from "../../common/grpc-options";
import { DeploymentError } from "../errors";
import { crashOf, type RunningPlugin } from "../providers/running-plugin";
import { fromStruct, toStruct } from "../wire/struct";
import { urnName } from "../wire/urn";
import { flattenOutputs, flattenResources, isObject, mapValue, type PropertyMap } from "../wire/values";
import type {
  AnalyzedResource,
  EnforcementLevel,
  Findings,
  GivenConfig,
  PackFacts,
  PolicyFacts,
  PolicySettings,
  Remediation,
  Severity,
  StackResource,
} from "./analysis";

const LEVELS: readonly EnforcementLevel[] = ["advisory", "mandatory", "disabled", "remediate"];
const SEVERITIES: readonly (Severity | undefined)[] = [undefined, "low", "medium", "high", "critical"];
const KINDS: readonly PolicyFacts["kind"][] = ["unknown", "resource", "stack"];

/** Facts about the stack, for policies that read them. */
export interface StackFacts {
  stack: string;
  project: string;
  preview: boolean;
  config: Readonly<Record<string, string>>;
  secretKeys: readonly string[];
}

/** The engine's own properties begin with `__`. A policy that only judges does not get them. */
const withoutInternal = (map: PropertyMap): PropertyMap =>
  mapValue(map, (value) =>
    isObject(value) && Object.keys(value).some((key) => key.startsWith("__"))
      ? Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith("__")))
      : value,
  ) as PropertyMap;

const outgoing = (map: PropertyMap): PropertyMap => flattenResources(flattenOutputs(map));

function optionsOf(resource: AnalyzedResource): pb.AnalyzerResourceOptions {
  const { create = 0, update = 0, delete: remove = 0, read = 0 } = resource.customTimeouts;
  return new pb.AnalyzerResourceOptions()
    .setProtect(resource.protect)
    .setIgnorechangesList([...resource.ignoreChanges])
    .setDeletebeforereplace(resource.deleteBeforeReplace ?? false)
    .setDeletebeforereplacedefined(resource.deleteBeforeReplace !== undefined)
    .setAdditionalsecretoutputsList([...resource.additionalSecretOutputs])
    .setAliasesList([...resource.aliases])
    .setCustomtimeouts(new pb.AnalyzerResourceOptions.CustomTimeouts().setCreate(create).setUpdate(update).setDelete(remove).setRead(read))
    .setParent(resource.parent ?? "");
}

function providerOf({ provider }: AnalyzedResource): pb.AnalyzerProviderResource | undefined {
  if (provider === undefined) return undefined;
  const { urn, type, inputs } = provider;
  return new pb.AnalyzerProviderResource()
    .setUrn(urn)
    .setType(type)
    .setName(urnName(urn))
    .setProperties(toStruct(outgoing(withoutInternal(inputs))));
}

function requestOf(resource: AnalyzedResource, properties: PropertyMap): pb.AnalyzeRequest {
  return new pb.AnalyzeRequest()
    .setUrn(resource.urn)
    .setType(resource.type)
    .setName(urnName(resource.urn))
    .setProperties(toStruct(outgoing(properties)))
    .setOptions(optionsOf(resource))
    .setProvider(providerOf(resource));
}

function stackResource(resource: StackResource): pb.AnalyzerResource {
  const message = new pb.AnalyzerResource()
    .setUrn(resource.urn)
    .setType(resource.type)
    .setName(urnName(resource.urn))
    .setProperties(toStruct(outgoing(withoutInternal(resource.properties))))
    .setOptions(optionsOf(resource))
    .setProvider(providerOf(resource))
    .setParent(resource.parent ?? "")
    .setDependenciesList([...resource.dependencies]);
  for (const [key, urns] of Object.entries(resource.propertyDependencies))
    if (urns.length > 0) message.getPropertydependenciesMap().set(key, new pb.AnalyzerPropertyDependencies().setUrnsList([...urns]));
  return message;
}

function levelOf(code: number): EnforcementLevel {
  const level = LEVELS[code];
  if (level === undefined) throw new DeploymentError(`a policy pack says enforcement level ${code}, which is none of ${LEVELS.join(", ")}`);
  return level;
}

function policyFacts(info: pb.PolicyInfo): PolicyFacts {
  const schema = info.getConfigschema();
  return {
    name: info.getName(),
    kind: KINDS[info.getPolicyType()] ?? "unknown",
    level: levelOf(info.getEnforcementlevel()),
    severity: SEVERITIES[info.getSeverity()],
    properties: (schema?.getProperties()?.toJavaScript() ?? {}) as PolicyFacts["properties"],
    required: schema?.getRequiredList() ?? [],
  };
}

function initialConfig(info: pb.AnalyzerInfo): GivenConfig {
  const entries: [string, GivenConfig[string]][] = [];
  info.getInitialconfigMap().forEach((entry: pb.PolicyConfig, name: string) => {
    entries.push([name, { level: levelOf(entry.getEnforcementlevel()), properties: entry.getProperties()?.toJavaScript() ?? {} }]);
  });
  return Object.fromEntries(entries);
}

const findings = (reply: pb.AnalyzeResponse): Findings => ({
  violations: reply.getDiagnosticsList().map((one) => ({
    policy: one.getPolicyname(),
    message: one.getMessage(),
    level: levelOf(one.getEnforcementlevel()),
    severity: SEVERITIES[one.getSeverity()],
    urn: one.getUrn(),
  })),
  notApplicable: reply.getNotApplicableList().map((one) => one.getPolicyName()),
});

type Unary<Req, Res> = (request: Req, callback: (error: grpc.ServiceError | null, response: Res) => void) => grpc.ClientUnaryCall;

export class AnalyzerClient {
  readonly #client: Client;

  /**
   * @param label what messages call the pack
   * @param redact hides secrets in what the pack wrote
   */
  constructor(
    readonly label: string,
    private readonly plugin: RunningPlugin,
    private readonly redact: (text: string) => string,
  ) {
    this.#client = new Client(plugin.address, grpc.credentials.createInsecure(), GRPC_OPTIONS);
  }

  /** @returns undefined where the pack does not implement the call. @throws DeploymentError with the pack's error, or with how its process ended */
  async #call<Req, Res>(method: Unary<Req, Res>, request: Req): Promise<Res | undefined> {
    const { error, response } = await new Promise<{ error: grpc.ServiceError | null; response: Res }>((resolve) => {
      method.call(this.#client, request, (failed, answer) => resolve({ error: failed, response: answer }));
    });
    if (error === null) return response;
    if (error.code === grpc.status.UNIMPLEMENTED) return undefined;
    const crash = error.code === grpc.status.UNAVAILABLE ? await crashOf(this.plugin, this.redact) : undefined;
    if (crash !== undefined) throw new DeploymentError(`policy pack ${this.label} ${crash}`);
    if (error.code !== grpc.status.UNAVAILABLE) throw new DeploymentError(this.redact(error.details));
    const hint = "the first line of its standard output must be its port: print nothing there before";
    throw new DeploymentError(`policy pack ${this.label} does not answer at ${this.plugin.address} (${hint}): ${this.redact(error.details)}`);
  }

  async handshake(engineAddress: string, folder: string): Promise<void> {
    const request = new pb.AnalyzerHandshakeRequest().setEngineAddress(engineAddress).setRootDirectory(folder).setProgramDirectory(folder);
    await this.#call<pb.AnalyzerHandshakeRequest, pb.AnalyzerHandshakeResponse>(this.#client.handshake, request);
  }

  async configureStack({ stack, project, preview, config, secretKeys }: StackFacts): Promise<void> {
    const request = new pb.AnalyzerStackConfigureRequest().setStack(stack).setProject(project).setOrganization("organization").setDryRun(preview);
    for (const [key, value] of Object.entries(config)) request.getConfigMap().set(key, value);
    request.setConfigSecretKeysList([...secretKeys]);
    await this.#call<pb.AnalyzerStackConfigureRequest, pb.AnalyzerStackConfigureResponse>(this.#client.configureStack, request);
  }

  /** @throws DeploymentError where it is no policy pack */
  async facts(): Promise<PackFacts> {
    const info = await this.#call<Empty, pb.AnalyzerInfo>(this.#client.getAnalyzerInfo, new Empty());
    if (info === undefined) throw new DeploymentError(`policy pack ${this.label} does not tell its policies (GetAnalyzerInfo)`);
    return {
      name: info.getName(),
      version: info.getVersion(),
      supportsConfig: info.getSupportsconfig(),
      policies: info.getPoliciesList().map(policyFacts),
      initialConfig: initialConfig(info),
    };
  }

  async configure(settings: ReadonlyMap<string, PolicySettings>): Promise<void> {
    if (settings.size === 0) return;
    const request = new pb.ConfigureAnalyzerRequest();
    for (const [name, { level, properties }] of settings) {
      const config = new pb.PolicyConfig().setEnforcementlevel(LEVELS.indexOf(level)).setProperties(toStruct(properties as PropertyMap));
      request.getPolicyconfigMap().set(name, config);
    }
    await this.#call<pb.ConfigureAnalyzerRequest, Empty>(this.#client.configure, request);
  }

  async analyze(resource: AnalyzedResource): Promise<Findings> {
    const request = requestOf(resource, withoutInternal(resource.properties));
    const reply = await this.#call<pb.AnalyzeRequest, pb.AnalyzeResponse>(this.#client.analyze, request);
    if (reply === undefined) throw new DeploymentError(`policy pack ${this.label} does not implement Analyze`);
    return findings(reply);
  }

  async analyzeStack(resources: readonly StackResource[]): Promise<Findings> {
    const request = new pb.AnalyzeStackRequest().setResourcesList(resources.map(stackResource));
    const reply = await this.#call<pb.AnalyzeStackRequest, pb.AnalyzeResponse>(this.#client.analyzeStack, request);
    return reply === undefined ? { violations: [], notApplicable: [] } : findings(reply);
  }

  async remediate(resource: AnalyzedResource): Promise<{ remediations: Remediation[]; notApplicable: string[] }> {
    const reply = await this.#call<pb.AnalyzeRequest, pb.RemediateResponse>(this.#client.remediate, requestOf(resource, resource.properties));
    if (reply === undefined) return { remediations: [], notApplicable: [] };
    return {
      remediations: reply.getRemediationsList().map((one) => ({
        policy: one.getPolicyname(),
        diagnostic: one.getDiagnostic(),
        properties: fromStruct(one.getProperties()),
      })),
      notApplicable: reply.getNotApplicableList().map((one) => one.getPolicyName()),
    };
  }

  kill(): void {
    this.plugin.kill();
  }

  async stop(): Promise<void> {
    this.#client.close();
    await this.plugin.stop();
  }
}
