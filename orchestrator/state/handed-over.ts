/** An application goes from the program to Argo CD through `hand-over`. Otherwise the program would delete what runs, and Argo CD create it anew. */
import { HomelabError } from "../../common/errors";
import { type EngineCommand, readState } from "./pending-creates";

interface Delivered {
  readonly stack: string;
  /** Applications that Argo CD delivers from now on. */
  readonly deliveredByArgoCd?: readonly string[] | undefined;
}

/**
 * Matches URNs of objects that `components/apps/web-app.ts` registers only for direct delivery. Rights, the namespace and the objects that
 * bring its Secret stay the program's.
 */
const DIRECT = /homelab:apps:WebApp\$(?:homelab:base:(?:WebIngress|IstioVirtualService)\$)?kubernetes:(?!rbac\.)[^$]+$/;
const APP = /homelab:apps:WebApp::([^:]+)$/;

/**
 * Where there is such an application, reads the state: an object of it without `retainOnDelete` would be deleted when it leaves the program.
 * @throws HomelabError E_HAND_OVER
 */
export async function checkHandedOver(run: EngineCommand, { stack, deliveredByArgoCd = [] }: Delivered): Promise<void> {
  if (deliveredByArgoCd.length === 0) return;
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
  const deleted = resources.filter((each) => DIRECT.test(each.urn) && each.retainOnDelete !== true && each.delete !== true);
  const apps = new Set(deleted.map(({ urn }) => appOf(urn)));
  const refused = deliveredByArgoCd.filter((app) => apps.has(app));
  if (refused.length === 0) return;
  throw new HomelabError("E_HAND_OVER", `${stack}: Argo CD is to deliver ${refused.join(", ")}, and the program would delete its running objects`, {
    subject: stack,
    hint: `set \`delivery: "hand-over"\` and run \`homelab up ${stack}\`, then set \`delivery: "argo-cd"\` (docs/applications.md)`,
  });
}
