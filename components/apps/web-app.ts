import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment";
import { HorizontalPodAutoscaler } from "@pulumi/kubernetes/autoscaling/v2/horizontalPodAutoscaler";
import { Job } from "@pulumi/kubernetes/batch/v1/job";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap";
import { Service } from "@pulumi/kubernetes/core/v1/service";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1/podDisruptionBudget";
import { Role } from "@pulumi/kubernetes/rbac/v1/role";
import { RoleBinding } from "@pulumi/kubernetes/rbac/v1/roleBinding";
import * as pulumi from "@pulumi/pulumi";
import { after, Component, timeouts } from "../base/component";
import { Namespace, type NamespaceArgs } from "../base/namespace";
import { webRoute } from "../base/web-route";
import { deliveryRights } from "../platform/argo-cd-access/account";
import { SecretAccess, type SecretsOfNamespace } from "../platform/secret-access";
import { appManifests, routesOf, withValues } from "./app-manifests";
import {
  type AppPlace,
  type AppSpec,
  ISSUER_PLACEHOLDER as ISSUER,
  NAMESPACE_PLACEHOLDER as NAMESPACE,
  type StagedManifest,
  secretDataOf,
  secretNameOf,
  servicePortOf,
} from "./app-spec";
import type { Delivery } from "./delivery";

export interface WebAppArgs extends Omit<AppSpec, "name"> {
  readonly namespace: NamespaceArgs;
  readonly routes: AppPlace["routes"];
  /** ClusterIssuer for certificates of its host names. */
  readonly issuer: pulumi.Input<string>;
  /** How its namespace gets its Secret. Needed where the application has one. */
  readonly secrets?: SecretsOfNamespace;
  /** Values that are known only while the stack is built, by placeholder (a text in angle brackets). */
  readonly values?: ReadonlyMap<string, pulumi.Input<string>>;
  /**
   * `argo-cd`: Argo CD makes the objects, from Git; only the namespace with its policies and the Secret are made here. `hand-over`: all
   * are made here, and one that leaves the program is not deleted in the cluster. Default: all are made here.
   */
  readonly delivery?: Delivery;
  /** Whether Argo CD runs in another cluster. Then its account gets rights in the namespace. Default: no. */
  readonly fromElsewhere?: boolean;
}

/** How each kind is registered; routes have components of their own. */
const KINDS: Readonly<Record<string, (name: string, manifest: never, opts: pulumi.CustomResourceOptions) => pulumi.CustomResource>> = {
  Deployment: (name, manifest, opts) => new Deployment(name, manifest, opts),
  HorizontalPodAutoscaler: (name, manifest, opts) => new HorizontalPodAutoscaler(name, manifest, opts),
  PodDisruptionBudget: (name, manifest, opts) => new PodDisruptionBudget(name, manifest, opts),
  Service: (name, manifest, opts) => new Service(name, manifest, opts),
  ServiceAccount: (name, manifest, opts) => new ServiceAccount(name, manifest, opts),
  ConfigMap: (name, manifest, opts) => new ConfigMap(name, manifest, opts),
  // A Job cannot be changed: it is deleted, and another one runs.
  Job: (name, manifest, opts) => new Job(name, manifest, { ...opts, deleteBeforeReplace: true }),
};

/** Kinds for which the provider waits until they are ready. */
const WAITING = new Set(["Deployment", "Service", "Job"]);

/** Which resources an object waits for, by its stage. */
class Order {
  readonly #first: pulumi.Resource[];
  readonly #all: pulumi.Resource[] = [];
  #deployment: pulumi.Resource | undefined;
  #service: pulumi.Resource | undefined;

  constructor(first: readonly pulumi.Resource[]) {
    this.#first = [...first];
  }

  before({ stage, manifest: { kind } }: StagedManifest): pulumi.Resource[] {
    if (stage === "after") return [...this.#all];
    // A hook reads the configuration, and the replicas come after the hook.
    if (this.#deployment === undefined) return stage === "config" ? [] : [...this.#first];
    return stage === "route" && this.#service !== undefined && kind !== "HorizontalPodAutoscaler" ? [this.#service] : [this.#deployment];
  }

  made({ stage, manifest: { kind } }: StagedManifest, resource: pulumi.Resource): void {
    this.#all.push(resource);
    if (stage === "config" || stage === "before") this.#first.push(resource);
    if (kind === "Deployment") this.#deployment = resource;
    if (kind === "Service") this.#service = resource;
  }

  get deployment(): pulumi.Resource {
    if (this.#deployment === undefined) throw new Error("an application has no Deployment");
    return this.#deployment;
  }
}

/** An application without state of its own: a namespace, its Secret and configuration, a Deployment, a Service, and a route for each host name. */
export class WebApp extends Component {
  /** The image that runs; known once it is ready. */
  readonly image: pulumi.Output<string>;
  private readonly urls = new Map<string, pulumi.Output<string>>();

  constructor(name: string, args: WebAppArgs, opts?: pulumi.ComponentResourceOptions) {
    super("apps:WebApp", name, opts);
    const { delivery, issuer, values: given = [] } = args;
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    const app = { ...args, name };
    const access = this.secretAccess(app, namespace);
    const values = new Map<string, pulumi.Input<string>>([...given, [NAMESPACE, namespace], [ISSUER, issuer]]);
    const image = values.get(args.image) ?? args.image;
    if (delivery === "argo-cd") {
      if (args.fromElsewhere === true) this.letDeliver(name, namespace);
      this.image = pulumi.output(image);
      for (const { port, host } of routesOf(app)) this.urls.set(port.name, pulumi.output(`https://${host}`));
    } else this.image = after(this.makeObjects(app, values, access), image);
    this.registerOutputs({ urls: Object.fromEntries(this.urls), image: this.image });
  }

  /** What the account of another stack's Argo CD may do here. */
  private letDeliver(name: string, namespace: pulumi.Output<string>): void {
    const { role, binding } = deliveryRights(namespace);
    const made = new Role(`${name}-delivery`, role, this.child());
    new RoleBinding(`${name}-delivery-binding`, binding, this.child({ dependsOn: [made] }));
  }

  private secretAccess(app: WebAppArgs & AppSpec, created: pulumi.Output<string>): pulumi.Resource[] {
    const data = secretDataOf(app);
    if (Object.keys(data).length === 0) return [];
    if (app.secrets === undefined) throw new Error(`${app.name} has secrets, and nothing gives them to its namespace`);
    return [new SecretAccess(`${app.name}-secrets`, app.secrets(app.namespace.name, created, [{ name: secretNameOf(app), data }]), this.child())];
  }

  /** @returns the Deployment */
  private makeObjects(app: WebAppArgs & AppSpec, values: ReadonlyMap<string, pulumi.Input<string>>, access: readonly pulumi.Resource[]): pulumi.Resource {
    const { name, routes, issuer, delivery } = app;
    // When an object has left the program, the engine reads this from the state. So an earlier run must have written it there.
    const stays = delivery === "hand-over" ? { retainOnDelete: true } : {};
    const hosts = new Map(routesOf(app).map((route) => [route.route, route]));
    const order = new Order(access);
    for (const staged of appManifests(app, { namespace: NAMESPACE, routes, issuer: ISSUER })) {
      const manifest = withValues(staged.manifest, values);
      const dependsOn = order.before(staged);
      const opts = this.child({ ...stays, ...(dependsOn.length === 0 ? {} : { dependsOn }) });
      const { kind, metadata } = staged.manifest;
      const route = hosts.get(metadata.name);
      const make = KINDS[kind];
      if (make !== undefined) {
        const waits = WAITING.has(kind) ? { customTimeouts: timeouts(10) } : {};
        order.made(staged, make(`${name}-${staged.part}`, manifest as never, { ...opts, ...waits }));
      } else if (route !== undefined) {
        const { host, port } = route;
        const namespace = values.get(NAMESPACE) ?? NAMESPACE;
        const made = webRoute(metadata.name, { host, namespace, service: name, port: servicePortOf(port), routes, issuer, manifest: manifest as object }, opts);
        this.urls.set(port.name, made.url);
        order.made(staged, made);
      } else throw new Error(`${name}: nothing registers a ${kind}`);
    }
    return order.deployment;
  }

  /** `https://<host>` of a port that has one; known once the route exists. */
  url(port: string): pulumi.Output<string> {
    const url = this.urls.get(port);
    if (url === undefined) throw new Error(`the port "${port}" has no host name`);
    return url;
  }
}
