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

const answerSchema = z.object({ version: z.literal(1), found: z.array(z.string()) });

/** Which of these Applications exist in the cluster of an Argo CD. */
export type AskArgoCd = (kubeconfig: string, names: readonly string[]) => Promise<readonly string[]>;

const askArgoCd: AskArgoCd = async (kubeconfig, names) =>
  answerSchema.parse(await askProgram("argo-cd-applications", JSON.stringify({ kubeconfig, names }))).found;

/** Undefined where the stack is not built. */
async function kubeconfigOf(run: EngineCommand, stack: string): Promise<string | undefined> {
  try {
    return (await run(["stack", "output", "kubeconfig", "--show-secrets", "--stack", stack], {})).trim() || undefined;
  } catch {
    // Without a cluster there is no Argo CD that could have an application.
    return undefined;
  }
}

/** Asks Argo CD about the applications of which the state has no object: new ones, and those on the way back. */
async function checkGivenUp(run: EngineCommand, objects: readonly DirectObject[], { stack, besideArgoCd }: Delivered, ask: AskArgoCd): Promise<void> {
  if (besideArgoCd === undefined) return;
  const own = new Set(objects.map(({ app }) => app));
  const applications = new Map(besideArgoCd.apps.filter((app) => !own.has(app)).map((app) => [`${app}-${stack}`, app]));
  const kubeconfig = applications.size === 0 ? undefined : await kubeconfigOf(run, besideArgoCd.argoCdOf);
  if (kubeconfig === undefined) return;
  const found = await ask(kubeconfig, [...applications.keys()]);
  if (found.length === 0) return;
  const apps = found.map((name) => applications.get(name)).join(", ");
  throw new HomelabError("E_HAND_OVER", `${stack}: the program is to deliver ${apps}, and Argo CD still does, by ${found.join(", ")}`, {
    subject: stack,
    hint: `run \`homelab render ${stack}\`, commit and push, and wait until \`kubectl -n argocd get applications\` does not list it (docs/applications.md)`,
  });
}

/**
 * Reads the state only where Argo CD delivers applications of the stack, or could.
 * @throws HomelabError E_HAND_OVER for an application that the program would delete, or that Argo CD still delivers
 */
export async function checkOwners(run: EngineCommand, delivered: Delivered, ask: AskArgoCd = askArgoCd): Promise<void> {
  const { stack, deliveredByArgoCd = [], besideArgoCd } = delivered;
  if (deliveredByArgoCd.length === 0 && besideArgoCd === undefined) return;
  const objects = await directObjects(run, stack);
  checkHandedOver(objects, delivered);
  await checkGivenUp(run, objects, delivered, ask);
}
