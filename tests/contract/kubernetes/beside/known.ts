/** What differs between our Kubernetes provider and the official one, and why. Nothing else may differ. */
import { sameQuantity } from "../../../../providers/kubernetes/object/quantity";
import type { Plain } from "./answers";
import { KNOWN_RELEASES } from "./known-releases";

export interface KnownDifference {
  /** The test files that need it; one that does not need it any more fails. */
  suites: readonly ("types" | "plans" | "waits" | "programs" | "releases")[];
  /** Against `case | step | property path`. */
  where: RegExp;
  reason: string;
  /** It is not there in every run: no case may need it. */
  byChance?: true;
  /** Which values may stand there. Default: any. */
  holds?: (ours: Plain | undefined, theirs: Plain | undefined) => boolean;
}

/** Ours is a beginning of each of theirs: `data` of `data.level`. */
const isBeginning = (ours: Plain | undefined, theirs: Plain | undefined): boolean =>
  typeof ours === "string" && typeof theirs === "string" && (theirs === ours || theirs.startsWith(`${ours}.`) || theirs.startsWith(`${ours}[`));

const isMap = (value: Plain | undefined): value is { [key: string]: Plain } => typeof value === "object" && value !== null && !Array.isArray(value);
const fails = (value: Plain | undefined): boolean => value === "<fails>";
const isKept = (value: Plain | undefined): boolean => isMap(value) && "partial" in value;

export const KNOWN: readonly KnownDifference[] = [
  {
    suites: ["types", "plans"],
    where: /\| preview of create \| outputs\./,
    reason: "theirs is a dry run of the API, ours the inputs: a preview needs no cluster that is up, and says nothing that a later step may change",
    holds: (ours) => ours === undefined,
  },
  {
    suites: ["types", "plans", "waits"],
    where: / \| diffs$/,
    reason: "ours names the properties for engines that show these alone; theirs leaves them to the detailed diff",
    holds: (_ours, theirs) => Array.isArray(theirs) && theirs.length === 0,
  },
  {
    suites: ["types", "plans"],
    where: / \| replaces\[\d+\]$/,
    reason: "ours are the top-level properties, as the protocol names them",
    holds: isBeginning,
  },
  {
    suites: ["types", "plans"],
    where: /\| preview of update \| (id|inputs|outputs|partial)$/,
    reason: "a dry run of the API meets the managers that the update itself takes over, and fails; ours is computed from the inputs",
    holds: (ours, theirs) => (ours === undefined) !== (theirs === undefined),
  },
  {
    suites: ["types", "plans"],
    where: /\.(hard\.requests\.cpu|limits\.(cpu|memory))$/,
    reason:
      "theirs writes quantities in Kubernetes' own form, which needs the types of each kind; ours leaves them as the program wrote them, and compares the amounts",
    holds: (ours, theirs) => sameQuantity(ours, theirs),
  },
  {
    suites: ["plans"],
    where: /\| preview of create \| $/,
    reason: "what the API refuses, theirs finds by its dry run in the preview, ours in the update",
    holds: (ours, theirs) => isMap(ours) && fails(theirs),
  },
  {
    suites: ["plans"],
    where: /\| update \| $/,
    reason: "of an update that the API refused theirs keeps the new inputs; ours the old ones, so that the next preview shows the change",
    holds: (ours, theirs) => fails(ours) && isKept(theirs),
  },
  {
    suites: ["plans"],
    where: /^(generateName|a list) \| check \| $/,
    reason: "ours complains of the property, theirs fails the call",
    holds: (ours, theirs) => isMap(ours) && Array.isArray(ours["failures"]) && ours["failures"].length > 0 && fails(theirs),
  },
  {
    suites: ["plans"],
    where: /\.(data|dta)$/,
    reason:
      "theirs passes the inputs through Kubernetes' types, which drop empty maps, and unknown fields without a word; ours leaves them, and the API refuses what it does not know",
    holds: (ours, theirs) => isMap(ours) && Object.keys(ours).length === 0 && theirs === undefined,
  },
  {
    suites: ["plans"],
    where: /\| create of an unknown field \| $/,
    reason: "the same: a misspelt field is an error, and not dropped",
    holds: (ours, theirs) => fails(ours) && isMap(theirs),
  },
  {
    suites: ["plans"],
    where: /^unknown values \| preview of update \| outputs\.__/,
    reason: "theirs answers the inputs alone where one is unknown; ours keeps what the provider noted before",
    holds: (_ours, theirs) => theirs === undefined,
  },
  {
    suites: ["types"],
    where: /^rbac\.authorization\.k8s\.io\/v1:Role \| (read of drift|diff of drift) \| /,
    reason: "elements that somebody added to a list without keys are drift here: they change what the program meant",
  },
  {
    suites: ["types"],
    where: /CustomResourceDefinition \| .*x[_-]kubernetes[_-]/,
    reason: "ours keeps the names that the SDK's types have among the inputs, theirs those of the API",
  },
  {
    suites: ["types"],
    where: /CustomResourceDefinition \| .*outputs\.status\.(acceptedNames|conditions\[\d+\]\.(reason|status|message))/,
    reason: "the API writes it a moment later",
    byChance: true,
  },
  {
    suites: ["types"],
    where: /CustomResourceDefinition \| (preview of update|update|read after update|import) \| outputs\./,
    reason: "theirs updates a definition by PUT, which takes away what others wrote into it; ours applies it",
  },
  {
    suites: ["types"],
    where: /^example\.com\/v1:Gadget \| import \| (inputs|outputs\.__inputs)\./,
    reason: "of an imported custom object ours has all live fields as inputs, theirs its name alone: the program needs them",
    holds: (ours, theirs) => ours !== undefined && theirs === undefined,
  },
  { suites: ["plans"], where: /^enablePatchForce \| /, reason: "the setting came with 4.29 in April 2026; the official provider here is of January" },
  {
    suites: ["plans"],
    where: /^somebody deleted it \| update \| /,
    reason: "ours makes anew what somebody deleted since the last refresh; theirs fails until a refresh",
  },
  {
    suites: ["plans"],
    where: /^replicas that an autoscaler owns \| update \| outputs\.__inputs\.spec\.replicas$/,
    reason: "theirs takes what is ignored and another manager owns out of the inputs themselves (handleSSAIgnoreFields); ours keeps the program's value there",
    holds: (ours, theirs) => ours === 1 && theirs === undefined,
  },
  {
    suites: ["waits"],
    where: /^a (deployment that is paused|job that is suspended) \| (create|read) \| how$/,
    reason: "it cannot become ready, so ours does not wait for it",
    holds: (ours, theirs) => ours === "ready" && theirs === "not ready",
  },
  {
    suites: ["waits"],
    where: /^a deployment (that is rolled out|without replicas) \| (create|read) \| how$/,
    reason:
      "theirs wants a ReplicaSet of the deployment's annotated revision, which no controller makes here (pkg/await/deployment.go); ours looks at its status, which says the same",
    holds: (ours, theirs) => ours === "ready" && theirs === "not ready",
  },
  {
    suites: ["waits"],
    where: /^a deployment with a (condition|path) of its own \| read \| how$/,
    reason: "ours looks at pulumi.com/waitFor in a refresh too",
    holds: (ours, theirs) => ours === "ready" && theirs === "not ready",
  },
  {
    suites: ["waits"],
    where: /^a deletion that a finalizer holds \| delete \| $/,
    reason: "of a deletion that is not over ours leaves the state as it was",
    holds: (ours, theirs) => fails(ours) && isKept(theirs),
  },
  {
    suites: ["waits"],
    where: /^a job that is to be made anew until it is done \| diff \| replaces\[0\]$/,
    reason: "the property in which the annotation stands",
    holds: (ours) => ours === "metadata",
  },
  {
    suites: ["plans"],
    where: /^another setting: .* \| diff \| detailed\./,
    reason: "of settings ours has a detailed diff, theirs the names alone",
    holds: (ours, theirs) => typeof ours === "number" && theirs === undefined,
  },
  {
    suites: ["plans"],
    where: /^another setting: a kubeconfig that was not known \| diff \| $/,
    reason: "theirs fails where the kubeconfig of before was not known; ours cannot tell the clusters apart, and keeps what is there",
    holds: (ours, theirs) => isMap(ours) && fails(theirs),
  },
  {
    suites: ["plans"],
    where: /^settings: (client-side apply|a setting that nobody has) \| check \| (refused|inputs)$/,
    reason: "ours has server-side apply only, and refuses what it does not know by its name; theirs takes any setting",
    holds: (ours, theirs) => (Array.isArray(ours) && ours.length === 1 && theirs === undefined) || (ours === undefined && isMap(theirs)),
  },
  {
    suites: ["plans"],
    where: /^settings: (strict mode without a context|YAML files beside a kubeconfig) \| check \| refused\[0\]$/,
    reason: "ours has neither, and names the setting; theirs names what does not go with it",
    holds: (ours, theirs) => (ours === "strictMode" && theirs === "context") || (ours === "renderYamlToDirectory" && theirs === "kubeconfig"),
  },
  {
    suites: ["plans"],
    where: /^a patch of a (config map|service) \| make \| $|^function kubernetes:kustomize:directory \| invoke \| $/,
    reason: "ours has neither patches of objects nor Kustomize, and says so by name",
    holds: (ours, theirs) => fails(ours) && isMap(theirs),
  },
  {
    suites: ["programs"],
    where: /^(yaml\.v2\.Config(File|Group)|kustomize\.(v2\.)?Directory) \| up \| (said|status)$/,
    reason: "ours has neither components of its own nor Kustomize, and says so by name; what the SDK makes of YAML by itself is the same",
    holds: (ours, theirs) => (ours === 1 && theirs === 0) || (typeof ours === "string" && ours !== "" && theirs === ""),
  },
  ...KNOWN_RELEASES,
];
