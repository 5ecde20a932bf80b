/** Inputs of an object as they are stored: named, in their namespace, complete. */
import type { CheckCall, CheckFailure, CheckResult } from "../../sdk/resource";
import { isValues, type Values, withoutNullValues } from "../../sdk/values";
import type { ClusterTarget } from "../settings";
import { inNamespace, isNamespaced, type ObjectType } from "./identity";
import { isSecretKind, normalised } from "./live-inputs";
import { asksForGeneratedName, named } from "./names";
import { waitForComplaint } from "./wait-for";

/** Annotations of the official provider. */
const KNOWN_ANNOTATIONS = new Set(
  ["autonamed", "skipAwait", "waitFor", "timeoutSeconds", "replaceUnready", "patchForce", "patchFieldManager", "deletionPropagationPolicy"].map(
    (name) => `pulumi.com/${name}`,
  ),
);

function annotationsOf(inputs: Values): Values {
  const { metadata } = inputs;
  const annotations = isValues(metadata) ? metadata["annotations"] : undefined;
  return isValues(annotations) ? annotations : {};
}

function failuresOf({ kind }: ObjectType, news: Values): CheckFailure[] {
  const failures: CheckFailure[] = [];
  if (kind.endsWith("List") || kind.endsWith("Patch")) failures.push({ property: "", reason: `the embedded provider has no ${kind}; the official plugin has` });
  if (asksForGeneratedName(news))
    failures.push({
      property: "metadata.generateName",
      reason: "it is not supported with server-side apply; leave it out for a name made from the resource's, or give `metadata.name`",
    });
  const waitFor = annotationsOf(news)["pulumi.com/waitFor"];
  const complaint = typeof waitFor === "string" && waitFor !== "" ? waitForComplaint(waitFor) : undefined;
  if (complaint !== undefined) failures.push({ property: 'metadata.annotations["pulumi.com/waitFor"]', reason: complaint });
  return failures;
}

function warn({ log, provider }: CheckCall<ClusterTarget>, news: Values): void {
  for (const [key, value] of Object.entries(annotationsOf(news))) {
    if (key.startsWith("pulumi.com/") && !KNOWN_ANNOTATIONS.has(key)) log("warning", `the annotation ${key} is not known to this provider, and has no effect`);
    if (key.startsWith("helm.sh/hook") && !provider.settings.suppressHelmHookWarnings && /test/.test(String(value)))
      log("warning", "this object is a Helm hook: it is created as any other, and no hook is run (suppressHelmHookWarnings leaves this out)");
  }
}

export async function checkObject(type: ObjectType, call: CheckCall<ClusterTarget>): Promise<CheckResult> {
  const { provider, signal } = call;
  const news = withoutNullValues(call.news);
  const failures = failuresOf(type, news);
  if (failures.length > 0) return { inputs: news, failures };
  warn(call, news);
  const apiVersion = news["apiVersion"] ?? type.apiVersion;
  const kind = news["kind"] ?? type.kind;
  const complete = { ...named({ ...call, news }), apiVersion, kind };
  const namespaced = await isNamespaced(provider.client, type.apiVersion, type.kind, signal);
  const inputs = namespaced ? inNamespace(complete, provider.client.defaultNamespace) : complete;
  return { inputs: isSecretKind(type.apiVersion, type.kind) ? normalised(inputs, type.apiVersion, type.kind) : inputs };
}
