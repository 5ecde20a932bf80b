/** The Proxmox nodes, in the stack that prepares them; and the provider for all that is on them. */
import { Provider as ProxmoxProvider } from "@muhlba91/pulumi-proxmoxve/provider";
import * as pulumi from "@pulumi/pulumi";
import { HomelabError } from "../../common/errors";
import { known } from "../../components/base/known-failure";
import { ProxmoxHost } from "../../components/hosts/proxmox-host";
import { ProxmoxStorage } from "../../components/hosts/proxmox-storage";
import { definitions, nameOf } from "../define/nodes";
import type { NodePlan } from "../plan/plan";
import { PROXMOX_SECRET, PROXMOX_TOKEN_ID } from "../plan/secret-paths";
import type { BuildContext } from "./context";

/** Access to Proxmox by API token over verified TLS. */
export function proxmoxProvider({ plan, secrets }: BuildContext): ProxmoxProvider {
  const id = secrets.get(PROXMOX_TOKEN_ID.path, PROXMOX_TOKEN_ID.key);
  const secret = secrets.get(PROXMOX_SECRET.path, PROXMOX_SECRET.key);
  return new ProxmoxProvider("proxmox", { endpoint: plan.site.proxmoxEndpoint, apiToken: pulumi.secret(pulumi.interpolate`${id}=${secret}`) });
}

/** The templates of VMs. */
export interface Templates {
  /** Id of the template on a node. */
  of(node: string): pulumi.Input<number>;
  /** Node to the id of its template, where this stack made them. */
  made: Readonly<Record<string, pulumi.Output<number>>> | undefined;
}

function prepareNodes({ nodes, image, storages: planned }: NodePlan, proxmox: ProxmoxProvider): Templates {
  const storages = planned.map(({ spec, nodes: on }) => ({
    on,
    storage: new ProxmoxStorage(`storage-${spec.name}`, { spec, nodes: on }, { providers: { proxmoxve: proxmox } }),
  }));
  const hosts = new Map(
    nodes.map((node) => [
      node.name,
      new ProxmoxHost(
        node.name,
        {
          node: node.name,
          bridges: definitions(node.bridges),
          storages: storages.flatMap(({ on, storage }) => (on.includes(node.name) ? [storage.entry] : [])),
          bridge: nameOf(node.bridges[0] ?? "vmbr0"),
          image: { ...image, datastore: nameOf(node.fileStorage) },
          isos: node.isos.map((iso) => ({ ...iso, datastore: nameOf(node.fileStorage) })),
          templateName: image.templateName,
          templateId: node.templateId,
          templateStorage: node.templateStorage,
        },
        { providers: { proxmoxve: proxmox } },
      ),
    ]),
  );
  return {
    of(node) {
      const host = hosts.get(node);
      if (host === undefined) throw new HomelabError("E_TEMPLATE", `there is no host ${node}`, { subject: node });
      return host.templateId;
    },
    made: Object.fromEntries([...hosts].map(([name, host]) => [name, host.templateId])),
  };
}

function templatesOfUpstream({ plan: { templatesOf }, upstream }: BuildContext): Templates {
  const templateIds = upstream.templateIds(templatesOf);
  return {
    of: (node) =>
      templateIds.apply(
        known((ids) => {
          const id = ids[node];
          if (id === undefined)
            throw new HomelabError("E_TEMPLATE", `${templatesOf} has no template on ${node}`, { subject: node, hint: `build the stack ${templatesOf} first` });
          return id;
        }),
      ),
    made: undefined,
  };
}

/** The templates that VMs are cloned from: of the nodes that this stack prepares, or those of the stack that did. */
export const buildTemplates = (context: BuildContext, proxmox: ProxmoxProvider): Templates =>
  context.plan.nodes === undefined ? templatesOfUpstream(context) : prepareNodes(context.plan.nodes, proxmox);
