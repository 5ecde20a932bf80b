/** Checks and prepares a cluster before software is removed from it. */
import { z } from "zod";
import { HomelabError } from "../../common/errors";
import type { ClusterApi, Manifest } from "./cluster-api";

const MANAGER = "homelab-removal";
const listSchema = z.object({ items: z.array(z.object({ metadata: z.object({ name: z.string() }) })) });
/** How many names a message lists at most. */
const NAMED = 5;

export interface RemovalTask {
  /** What is removed: the name in messages. */
  readonly of: string;
  /** The kind of which no object may exist: they hold data, which would be deleted too. */
  readonly none: { readonly apiVersion: string; readonly kind: string; readonly namespace: string };
  /** Applied where none exists: they allow the removal. */
  readonly set: readonly Manifest[];
}

/** @throws HomelabError E_REMOVAL where there are such objects, or the cluster refuses what is to be applied */
export async function prepareRemoval(api: ClusterApi, { of, none, set }: RemovalTask): Promise<void> {
  const refuse = (what: string, hint?: string): HomelabError =>
    new HomelabError("E_REMOVAL", `${of}: ${what}`, { subject: of, ...(hint === undefined ? {} : { hint }) });
  const folder = await api.pathOf({ apiVersion: none.apiVersion, kind: none.kind, metadata: { name: "", namespace: none.namespace } });
  // The cluster does not have the kind, so the software is already removed.
  if (folder === undefined) return;
  const { status, message, body } = await api.request("GET", folder);
  if (status !== 200) throw refuse(`the cluster does not say which objects of the kind ${none.kind} there are: ${message}`);
  const names = listSchema.parse(body).items.map(({ metadata }) => metadata.name);
  if (names.length > 0) {
    const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
    throw refuse(
      `it still has ${names.length} of the kind ${none.kind}: ${names.slice(0, NAMED).join(", ")}${more}; their data would be lost`,
      "save what is needed, delete their claims, and run the stack again",
    );
  }
  for (const object of set) {
    const path = await api.pathOf(object);
    if (path === undefined) throw refuse(`the cluster has no kind ${object.kind} of ${object.apiVersion}`);
    const url = `${path}/${object.metadata.name}?fieldManager=${MANAGER}&force=true`;
    const answer = await api.request("PATCH", url, object, "application/apply-patch+yaml");
    if (answer.status >= 300) throw refuse(`the cluster refuses ${object.kind} ${object.metadata.name}: ${answer.message}`);
  }
}
