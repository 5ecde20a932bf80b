/**
 * `node bin/stacks/describe.js`: the stacks as JSON on standard output, after a check of their graph, settings and VMs.
 * The orchestrator's only source of the graph. Loads no Pulumi SDK. Errors: one line of JSON on standard error, exit code 1.
 */
import { HomelabError } from "../common/errors";
import { failureOf, printAnswer } from "./child";
import { labSite } from "./lab-site";
import { type Estate, loadEstate } from "./load/estate";
import { stackFacts } from "./load/stacks";
import { delivererOf } from "./plan/deliverers";
import { planEstate, type StackPlan } from "./plan/plan";
import { platformSummary } from "./plan/platform-summary";
import { senderWarnings } from "./plan/senders";

/** Needed for a lab only, so an error in it stops no other run. */
function labFacts(): object {
  try {
    return { site: labSite() };
  } catch (thrown) {
    if (!(thrown instanceof HomelabError)) throw thrown;
    return { failure: failureOf(thrown) };
  }
}

/** Applications that the program delivers where an Argo CD delivers others: it may still have one of them. */
function besideArgoCd(estate: Estate, { stack, apps }: StackPlan): object {
  const deliverer = delivererOf(estate, stack);
  if (deliverer === undefined) return {};
  return { besideArgoCd: { argoCdOf: deliverer.name, apps: apps.flatMap(({ name, delivery }) => (delivery === "argo-cd" ? [] : [name])) } };
}

const planFacts = (estate: Estate, plan: StackPlan | undefined): object =>
  plan === undefined
    ? {}
    : {
        machines: plan.vms.map(({ name, node, cloudInit }) => ({ name, node, address: cloudInit.ipv4.address, cluster: name === plan.clusterVm })),
        apps: plan.apps.map(({ name }) => name),
        deliveredByArgoCd: plan.apps.flatMap(({ name, delivery }) => (delivery === "argo-cd" ? [name] : [])),
        ...besideArgoCd(estate, plan),
        platform: platformSummary(plan.platform),
      };

/** @param estate default: the checkout's own */
export function describe(estate: Estate = loadEstate()): object {
  const plans = planEstate(estate);
  return {
    version: 1,
    project: "homelab",
    site: estate.site.domain,
    nodes: estate.proxmox.nodes.map(({ name }) => name),
    stacks: estate.stacks.map((stack) => ({ ...stackFacts(stack), ...planFacts(estate, plans.get(stack.name)) })),
    warnings: [
      ...[...estate.warnings.values()].flat(),
      ...[...plans.values()].flatMap(({ platform }) => platform.requests.warnings),
      ...senderWarnings(estate),
    ],
    lab: labFacts(),
  };
}

if (require.main === module) printAnswer(() => describe());
