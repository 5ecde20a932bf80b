/**
 * An application has one owner. From the program to Argo CD it goes by way of `hand-over`: otherwise the program deletes the running objects,
 * and Argo CD creates new ones. On the way back, Argo CD gives it up first: otherwise both write the same objects.
 */
import { z } from "zod";
import { HomelabError } from "../../common/errors";
import { askProgram } from "../target/ask-program";
import { type EngineCommand, readState } from "./pending-creates";

interface Delivered {
  readonly stack: string;
  /** Applications that Argo CD delivers from now on. */
  readonly deliveredByArgoCd?: readonly string[] | undefined;
  /** Applications that the program delivers, and the stack of the Argo CD that may still have one of them. */
  readonly besideArgoCd?: { readonly argoCdOf: string; readonly apps: readonly string[] } | undefined;
}

/**
 * Matches URNs of objects that `components/apps/web-app.ts` registers only for direct delivery. Rights, the namespace and the objects that
 * bring its Secret stay the program's.
 */
const DIRECT = /homelab:apps:WebApp\$(?:homelab:base:(?:WebIngress|IstioVirtualService)\$)?kubernetes:(?!rbac\.)[^$]+$/;
const APP = /homelab:apps:WebApp::([^:]+)$/;

interface DirectObject {
  readonly app: string | undefined;
  /** It is deleted when it leaves the program. */
  readonly deletes: boolean;
}

/** Objects of directly delivered applications that the state has. */
async function directObjects(run: EngineCommand, stack: string): Promise<DirectObject[]> {
  const resources = (await readState(run, stack)).deployment?.resources ?? [];
  const parents = new Map(resources.map(({ urn, parent }) => [urn, parent]));
  const appOf = (urn: string): string | undefined => {
    for (let at: string | undefined = urn; at !== undefined; at = parents.get(at)) {
      const app = APP.exec(at)?.[1];
      if (app !== undefined) return app;
    }
    return undefined;
  };
  // An entry that is marked for deletion was replaced: the running object has another entry.
  return resources
    .filter((each) => DIRECT.test(each.urn) && each.delete !== true)
    .map(({ urn, retainOnDelete }) => ({ app: appOf(urn), deletes: retainOnDelete !== true }));
}

function checkHandedOver(objects: readonly DirectObject[], { stack, deliveredByArgoCd = [] }: Delivered): void {
  const apps = new Set(objects.filter(({ deletes }) => deletes).map(({ app }) => app));
  const refused = deliveredByArgoCd.filter((app) => apps.has(app));
  if (refused.length === 0) return;
  throw new HomelabError("E_HAND_OVER", `${stack}: Argo CD is to deliver ${refused.join(", ")}, and the program would delete its running objects`, {
    subject: stack,
    hint: `set \`delivery: "hand-over"\` and run \`homelab up ${stack}\`, then set \`delivery: "argo-cd"\` (docs/applications.md)`,
  });
}

const ownersSchema = z.array(z.object({ app: z.string(), application: z.string() }));
type Owners = z.infer<typeof ownersSchema>;
const answerSchema = z.object({ version: z.literal(1), found: ownersSchema });

interface Question {
  /** Kubeconfig of the cluster of the Argo CD. */
  readonly argoCd: string;
  /** Kubeconfig of the stack's own cluster; undefined: it is not built. */
  readonly cluster: string | undefined;
  readonly stack: string;
  readonly apps: readonly string[];
}

/** Which Applications of an Argo CD deliver these applications. */
export type AskArgoCd = (question: Question) => Promise<Owners>;

const askArgoCd: AskArgoCd = async (question) => answerSchema.parse(await askProgram("argo-cd-applications", JSON.stringify(question))).found;

/** Undefined where the stack is not built. */
async function kubeconfigOf(run: EngineCommand, stack: string): Promise<string | undefined> {
  try {
    return (await run(["stack", "output", "kubeconfig", "--show-secrets", "--stack", stack], {})).trim() || undefined;
  } catch {
    // Without a cluster there is no Argo CD that could have an application.
    return undefined;
  }
}

/** Asks Argo CD about all applications that the program delivers: somebody may make an Application by hand for what runs already. */
async function checkGivenUp(run: EngineCommand, { stack, besideArgoCd }: Delivered, ask: AskArgoCd): Promise<void> {
  if (besideArgoCd === undefined || besideArgoCd.apps.length === 0) return;
  const { argoCdOf, apps } = besideArgoCd;
  const argoCd = await kubeconfigOf(run, argoCdOf);
  if (argoCd === undefined) return;
  const cluster = stack === argoCdOf ? argoCd : await kubeconfigOf(run, stack);
  const found = await ask({ argoCd, cluster, stack, apps });
  if (found.length === 0) return;
  const names = found.map(({ application }) => application);
  const byHand = found.flatMap(({ app, application }) => (application === `${app}-${stack}` ? [] : [application]));
  throw new HomelabError(
    "E_HAND_OVER",
    `${stack}: the program is to deliver ${[...new Set(found.map(({ app }) => app))].join(", ")}, and Argo CD still does, by ${names.join(", ")}`,
    {
      subject: stack,
      hint:
        byHand.length > 0
          ? `somebody made ${byHand.join(", ")}: remove it without its objects, \`argocd app delete ${byHand[0]} --cascade=false\` (docs/applications.md)`
          : `run \`homelab render ${stack}\`, commit and push, and wait until \`kubectl -n argocd get applications\` does not list it (docs/applications.md)`,
    },
  );
}

/**
 * Reads the state only where Argo CD delivers applications of the stack, or could.
 * @throws HomelabError E_HAND_OVER for an application that the program would delete, or that Argo CD still delivers
 */
export async function checkOwners(run: EngineCommand, delivered: Delivered, ask: AskArgoCd = askArgoCd): Promise<void> {
  const { stack, deliveredByArgoCd = [], besideArgoCd } = delivered;
  if (deliveredByArgoCd.length === 0 && besideArgoCd === undefined) return;
  if (deliveredByArgoCd.length > 0) checkHandedOver(await directObjects(run, stack), delivered);
  await checkGivenUp(run, delivered, ask);
}
