/**
 * Which Applications of an Argo CD deliver objects that the program delivers: those of their expected names, and those that somebody made
 * under another name, which Argo CD's own mark on the objects names.
 */
import { z } from "zod";
import { HomelabError } from "../../common/errors";
import type { ClusterApi } from "../../components/base/cluster-api";
import { ARGO_CD_NAMESPACE } from "../../components/platform/argo-cd/values";

type Api = Pick<ClusterApi, "request">;

export interface Owner {
  readonly app: string;
  /** Name of the Application, with its namespace where that is not Argo CD's own. */
  readonly application: string;
}

const listSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({
        name: z.string(),
        namespace: z.string(),
        annotations: z.record(z.string(), z.string()).default({}),
        labels: z.record(z.string(), z.string()).default({}),
      }),
    }),
  ),
});
type Metadata = z.infer<typeof listSchema>["items"][number]["metadata"];

/** Kinds that every application has. */
const KINDS = [
  ["/apis/apps/v1", "deployments"],
  ["/api/v1", "services"],
] as const;

/** Argo CD's marks: the annotation `<Application>:<group>/<kind>:<namespace>/<name>`, or the label of older settings. */
const TRACKING = "argocd.argoproj.io/tracking-id";
const INSTANCE = "app.kubernetes.io/instance";

/** None where the cluster does not have the kind or the namespace, or does not answer: what is wrong with it, its own stack reports. */
async function list(api: Api, path: string): Promise<Metadata[]> {
  try {
    const { status, body } = await api.request("GET", path);
    return status === 200 ? listSchema.parse(body).items.map(({ metadata }) => metadata) : [];
  } catch (thrown) {
    if (!(thrown instanceof HomelabError)) throw thrown;
    return [];
  }
}

/** As Argo CD names it in a mark: `<namespace>_<name>` outside its own namespace. */
const markOf = ({ name, namespace }: Metadata): string => (namespace === ARGO_CD_NAMESPACE ? name : `${namespace}_${name}`);

/** Names in the marks of an application's objects. An object that was given up keeps its mark. */
async function marks(cluster: Api, app: string): Promise<string[]> {
  const objects = await Promise.all(KINDS.map(([group, kind]) => list(cluster, `${group}/namespaces/${app}/${kind}`)));
  return objects.flat().flatMap(({ name, namespace, annotations, labels }) => {
    const [application, , place] = annotations[TRACKING]?.split(":") ?? [];
    // An annotation that was copied from another object is no mark.
    return [place === `${namespace}/${name}` ? application : undefined, labels[INSTANCE]].filter((found) => found !== undefined);
  });
}

/**
 * @param argoCd the cluster of the Argo CD. Where it does not answer, that Argo CD delivers nothing, and must not keep another stack from its build
 * @param cluster the one that runs the applications; undefined: it is not built
 * @param apps each is in the namespace of its name
 */
export async function argoCdOwners(argoCd: Api, cluster: Api | undefined, stack: string, apps: readonly string[]): Promise<Owner[]> {
  const there = new Set((await list(argoCd, "/apis/argoproj.io/v1alpha1/applications")).map(markOf));
  const expected = (app: string): string => `${app}-${stack}`;
  const others = [...there].some((name) => !apps.map(expected).includes(name));
  const found: Owner[] = [];
  for (const app of apps) {
    const marked = others && cluster !== undefined ? await marks(cluster, app) : [];
    const names = new Set([expected(app), ...marked]);
    for (const application of names) if (there.has(application)) found.push({ app, application });
  }
  return found;
}
