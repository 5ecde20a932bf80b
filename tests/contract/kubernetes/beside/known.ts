/** What differs between our Kubernetes provider ("ours") and the official one ("theirs"), and why. Nothing else may differ. */
import { sameQuantity } from "../../../../providers/kubernetes/object/quantity";
import type { Plain } from "./answers";
import { KNOWN_RELEASES } from "./known-releases";

export interface KnownDifference {
  /** The test files that need this entry. A test file that does not need it any more fails. */
  suites: readonly ("types" | "plans" | "waits" | "programs" | "releases")[];
  /** Matched against `case | step | property path`. */
  where: RegExp;
  reason: string;
  /** Not every run has this difference, so a run that does not need the entry is no failure. */
  byChance?: true;
  /** Which values of both are allowed. Default: any. */
  holds?: (ours: Plain | undefined, theirs: Plain | undefined) => boolean;
}

/** Whether our property path is the same as theirs or a parent of it: `data` of `data.level`. */
const isBeginning = (ours: Plain | undefined, theirs: Plain | undefined): boolean =>
  typeof ours === "string" && typeof theirs === "string" && (theirs === ours || theirs.startsWith(`${ours}.`) || theirs.startsWith(`${ours}[`));

const isMap = (value: Plain | undefined): value is { [key: string]: Plain } => typeof value === "object" && value !== null && !Array.isArray(value);
const fails = (value: Plain | undefined): boolean => value === "<fails>";
const isKept = (value: Plain | undefined): boolean => isMap(value) && "partial" in value;

export const KNOWN: readonly KnownDifference[] = [
  {
    suites: ["types", "plans"],
    where: /\| preview of create \| outputs\./,
    reason:
      "a preview of theirs is a dry run at the API, one of ours returns the inputs: it needs no running cluster, and says nothing that a later step may change",
    holds: (ours) => ours === undefined,
  },
  {
    suites: ["types", "plans", "waits"],
    where: / \| diffs$/,
    reason: "ours lists the changed properties for engines that show only these; theirs gives them in the detailed diff alone",
    holds: (_ours, theirs) => Array.isArray(theirs) && theirs.length === 0,
  },
  {
    suites: ["types", "plans"],
    where: / \| replaces\[\d+\]$/,
    reason: "ours lists top-level properties, as the protocol asks for",
    holds: isBeginning,
  },
  {
    suites: ["types", "plans"],
    where: /\| preview of update \| (id|inputs|outputs|partial)$/,
    reason: "the dry run of theirs conflicts with field managers that the update itself would take over, and fails; ours is computed from the inputs",
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
    reason: "what the API refuses fails in theirs' preview, by the dry run, and with ours in the update",
    holds: (ours, theirs) => isMap(ours) && fails(theirs),
  },
  {
    suites: ["plans"],
    where: /\| update \| $/,
    reason:
      "after an update that the API refused, theirs keeps the new inputs in the state; ours keeps the old ones, so that the next preview shows the change",
    holds: (ours, theirs) => fails(ours) && isKept(theirs),
  },
  {
    suites: ["plans"],
    where: /^(generateName|a list) \| check \| $/,
    reason: "ours returns a check failure of the property; theirs fails the call",
    holds: (ours, theirs) => isMap(ours) && Array.isArray(ours["failures"]) && ours["failures"].length > 0 && fails(theirs),
  },
  {
    suites: ["plans"],
    where: /\.(data|dta)$/,
    reason:
      "theirs converts the inputs to Kubernetes' types, which silently drops empty maps and unknown fields; ours sends them, and the API refuses unknown fields",
    holds: (ours, theirs) => isMap(ours) && Object.keys(ours).length === 0 && theirs === undefined,
  },
  {
    suites: ["plans"],
    where: /\| create of an unknown field \| $/,
    reason: "the same: with ours a misspelt field is an error; theirs drops it",
    holds: (ours, theirs) => fails(ours) && isMap(theirs),
  },
  {
    suites: ["plans"],
    where: /^unknown values \| preview of update \| outputs\.__/,
    reason: "if an input is unknown, theirs returns only the inputs; ours also keeps its own `__` properties of the previous outputs",
    holds: (_ours, theirs) => theirs === undefined,
  },
  {
    suites: ["types"],
    where: /^rbac\.authorization\.k8s\.io\/v1:Role \| (read of drift|diff of drift) \| /,
    reason: "ours reports elements that somebody added to a list without keys as drift, since they change what the program meant",
  },
  {
    suites: ["types"],
    where: /CustomResourceDefinition \| .*x[_-]kubernetes[_-]/,
    reason: "the inputs of ours have the property names of the SDK's types, those of theirs the names of the API",
  },
  {
    suites: ["types"],
    where: /CustomResourceDefinition \| .*outputs\.status\.(acceptedNames|conditions\[\d+\]\.(reason|status|message))/,
    reason: "the API writes these a moment after the object",
    byChance: true,
  },
  {
    suites: ["types"],
    where: /CustomResourceDefinition \| (preview of update|update|read after update|import) \| outputs\./,
    reason: "theirs updates a definition by PUT, which removes what others wrote into it; ours uses server-side apply",
  },
  {
    suites: ["types"],
    where: /^example\.com\/v1:Gadget \| import \| (inputs|outputs\.__inputs)\./,
    reason: "an import of a custom object gives all live fields as inputs with ours, and only its name with theirs; the program needs the fields",
    holds: (ours, theirs) => ours !== undefined && theirs === undefined,
  },
  {
    suites: ["plans"],
    where: /^enablePatchForce \| /,
    reason: "the setting came with version 4.29 in April 2026; the official provider of these tests is from January",
  },
  {
    suites: ["plans"],
    where: /^somebody deleted it \| update \| /,
    reason: "ours creates an object again that somebody deleted since the last refresh; theirs fails until a refresh",
  },
  {
    suites: ["plans"],
    where: /^replicas that an autoscaler owns \| update \| outputs\.__inputs\.spec\.replicas$/,
    reason:
      "theirs removes ignored fields that another manager owns from the recorded inputs too (handleSSAIgnoreFields); ours keeps the program's value there",
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
      "theirs looks for the ReplicaSet of the deployment's annotated revision, which no controller makes here (pkg/await/deployment.go); ours reads the deployment's status, which says the same",
    holds: (ours, theirs) => ours === "ready" && theirs === "not ready",
  },
  {
    suites: ["waits"],
    where: /^a deployment with a (condition|path) of its own \| read \| how$/,
    reason: "ours respects pulumi.com/waitFor in a refresh too",
    holds: (ours, theirs) => ours === "ready" && theirs === "not ready",
  },
  {
    suites: ["waits"],
    where: /^a deletion that a finalizer holds \| delete \| $/,
    reason: "when a deletion does not finish, ours leaves the state as it was",
    holds: (ours, theirs) => fails(ours) && isKept(theirs),
  },
  {
    suites: ["waits"],
    where: /^a job that is to be made anew until it is done \| diff \| replaces\[0\]$/,
    reason: "ours names the top-level property that contains the annotation",
    holds: (ours) => ours === "metadata",
  },
  {
    suites: ["plans"],
    where: /^another setting: .* \| diff \| detailed\./,
    reason: "ours gives a detailed diff of provider settings; theirs gives only their names",
    holds: (ours, theirs) => typeof ours === "number" && theirs === undefined,
  },
  {
    suites: ["plans"],
    where: /^another setting: a kubeconfig that was not known \| diff \| $/,
    reason: "if the previous kubeconfig was unknown, theirs fails; ours cannot tell whether it is another cluster, and keeps the resources",
    holds: (ours, theirs) => isMap(ours) && fails(theirs),
  },
  {
    suites: ["plans"],
    where: /^settings: (client-side apply|a setting that nobody has) \| check \| (refused|inputs)$/,
    reason: "ours has only server-side apply, and refuses unknown settings by name; theirs accepts any setting",
    holds: (ours, theirs) => (Array.isArray(ours) && ours.length === 1 && theirs === undefined) || (ours === undefined && isMap(theirs)),
  },
  {
    suites: ["plans"],
    where: /^settings: (strict mode without a context|YAML files beside a kubeconfig) \| check \| refused\[0\]$/,
    reason: "ours supports neither setting and names it; theirs names the setting that is missing or conflicts",
    holds: (ours, theirs) => (ours === "strictMode" && theirs === "context") || (ours === "renderYamlToDirectory" && theirs === "kubeconfig"),
  },
  {
    suites: ["plans"],
    where: /^a patch of a (config map|service) \| make \| $|^function kubernetes:kustomize:directory \| invoke \| $/,
    reason: "ours supports neither patch resources nor Kustomize, and the error names what is missing",
    holds: (ours, theirs) => fails(ours) && isMap(theirs),
  },
  {
    suites: ["programs"],
    where: /^(yaml\.v2\.Config(File|Group)|kustomize\.(v2\.)?Directory) \| up \| (said|status)$/,
    reason:
      "ours supports neither components that a provider constructs nor Kustomize, and the error names what is missing; what the SDK itself makes of YAML is the same",
    holds: (ours, theirs) => (ours === 1 && theirs === 0) || (typeof ours === "string" && ours !== "" && theirs === ""),
  },
  ...KNOWN_RELEASES,
];
