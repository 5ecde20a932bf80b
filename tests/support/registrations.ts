/**
 * What the programs of all stacks register, as data by which two commits can be compared: each registration, with the options that change
 * what the engine does. Long texts and secrets are digests, and the checkout's folder is a placeholder.
 */
import * as crypto from "node:crypto";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb.js";
import type { StackRuns } from "./stack-run";

const ROOT = path.join(__dirname, "..", "..");
/** The key and the value that mark a secret on the wire. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
/** Longer texts are recorded as digests. */
const LONGEST = 300;

/** A registration with sorted keys, without empty options. */
type Recorded = Record<string, unknown>;

export interface Registrations {
  resources: Record<string, Recorded>;
  outputs: unknown;
}

const digest = (text: string): string => crypto.createHash("sha256").update(text).digest("hex").slice(0, 16);
const placed = (text: string): string => text.replaceAll(ROOT, "<checkout>");

function shortened(text: string): string {
  const own = placed(text);
  if (own.includes(pulumi.runtime.unknownValue)) return "<unknown>";
  return own.length > LONGEST ? `<${own.length} characters, sha256 ${digest(own)}>` : own;
}

/** A value as the program sends it: secrets as digests, unknowns and long texts marked. */
function masked(value: unknown): unknown {
  if (typeof value === "string") return shortened(value);
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value !== "object" || value === null) return value;
  const map = value as Record<string, unknown>;
  if (map[SIGNATURE] === SECRET) return `<secret ${digest(placed(JSON.stringify(map["value"])))}>`;
  return Object.fromEntries(
    Object.entries(map)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, masked(item)]),
  );
}

/** The URN that the stand-in for the engine gives (runtime/mocks.js of the SDK). */
function urnOf(request: RegisterResourceRequest): string {
  const parentType = request.getParent().split("::")[2]?.split("$").pop();
  const type = parentType === undefined ? request.getType() : `${parentType}$${request.getType()}`;
  return `urn:pulumi:${[pulumi.getStack(), pulumi.getProject(), type, request.getName()].join("::")}`;
}

/** A reference to a provider without its id, which is random. */
const withoutId = (reference: string): string => reference.split("::").slice(0, 4).join("::");

const says = (value: unknown): boolean =>
  value !== undefined && value !== "" && value !== false && !(typeof value === "object" && value !== null && Object.keys(value).length === 0);

/** The entries of a map of the protocol's code. Its `toArray` gives other values. */
function entriesOf<V>(map: { forEach(visit: (value: V, key: string) => void): void }): [string, V][] {
  const entries: [string, V][] = [];
  map.forEach((value, key) => {
    entries.push([key, value]);
  });
  return entries;
}

function recordOf(request: RegisterResourceRequest): Recorded {
  const aliases = request.getAliasesList().map((alias) => alias.toObject());
  const timeouts = request.getCustomtimeouts()?.toObject();
  const perProperty = entriesOf(request.getPropertydependenciesMap())
    .map(([key, dependencies]) => [key, [...dependencies.getUrnsList()].toSorted()] as const)
    .filter(([, urns]) => urns.length > 0);
  const all: Recorded = {
    parent: request.getParent(),
    inputs: masked(request.getObject()?.toJavaScript() ?? {}),
    dependencies: [...request.getDependenciesList()].toSorted(),
    propertyDependencies: Object.fromEntries(perProperty.toSorted(([a], [b]) => (a < b ? -1 : 1))),
    provider: withoutId(request.getProvider()),
    providers: Object.fromEntries(entriesOf(request.getProvidersMap()).map(([name, reference]) => [name, withoutId(reference)])),
    protect: request.getProtect(),
    aliases: [...request.getAliasurnsList(), ...aliases],
    component: !request.getCustom(),
    deleteBeforeReplace: request.getDeletebeforereplacedefined() ? request.getDeletebeforereplace() : undefined,
    ignoreChanges: request.getIgnorechangesList(),
    replaceOnChanges: request.getReplaceonchangesList(),
    additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
    importId: request.getImportid(),
    retainOnDelete: request.getRetainondelete(),
    deletedWith: request.getDeletedwith(),
    replaceWith: request.getReplaceWithList(),
    replacementTrigger: masked(request.getReplacementTrigger()?.toJavaScript()),
    hooks: request.getHooks()?.toObject(),
    timeouts,
    version: request.getVersion(),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => says(value)));
}

/** The resources that the stack's program registers with its settings, by URN. */
export async function registrationsOf(runs: StackRuns, stack: string, options: { preview: boolean }): Promise<Registrations> {
  const resources: Record<string, Recorded> = {};
  const { outputs } = await runs.run(stack, {
    ...options,
    onRequest: (request) => {
      const urn = urnOf(request);
      if (urn in resources) throw new Error(`${urn} is registered twice`);
      resources[urn] = recordOf(request);
    },
  });
  return { resources: Object.fromEntries(Object.entries(resources).toSorted(([a], [b]) => (a < b ? -1 : 1))), outputs: masked(outputs) };
}
