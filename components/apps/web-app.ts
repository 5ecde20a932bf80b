import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment";
import { Service } from "@pulumi/kubernetes/core/v1/service";
import type * as pulumi from "@pulumi/pulumi";
import { after, Component, timeouts } from "../base/component";
import { Namespace, type NamespaceArgs } from "../base/namespace";
import { WebIngress } from "../base/web-ingress";

/** A port of the container that is served. */
interface WebAppPort {
  name: string;
  port: number;
  /** Host name that leads to it. Default: reached inside the cluster only. */
  host?: string;
}

export interface WebAppArgs {
  namespace: NamespaceArgs;
  /** Image with registry and tag or digest. */
  image: pulumi.Input<string>;
  /** The first one is that of the health check. */
  ports: readonly [WebAppPort, ...WebAppPort[]];
  /** Path that answers 200 when the application is well. Default `/`. */
  healthPath?: string;
  /** Port of the health check, where it is none of `ports`. */
  healthPort?: number;
  /** Default 1. */
  replicas?: number;
  environment?: Record<string, pulumi.Input<string>>;
  /** Default 100m and 128Mi, with a limit of 256Mi. */
  resources?: { cpu: string; memory: string; memoryLimit: string };
  /** Folders that the application may write to; empty at each start. */
  writable?: readonly string[];
  /** User id that the image is made for. Default: the image's own. */
  runAsUser?: number;
  ingressClass: string;
  issuer: pulumi.Input<string>;
}

/** The resource settings that an application gets if it names none. */
const DEFAULT_RESOURCES = { cpu: "100m", memory: "128Mi", memoryLimit: "256Mi" };

function container(name: string, args: WebAppArgs) {
  const resources = args.resources ?? DEFAULT_RESOURCES;
  const probe = { httpGet: { path: args.healthPath ?? "/", port: args.healthPort ?? args.ports[0].port } };
  return {
    name,
    image: args.image,
    ports: args.ports.map(({ name: portName, port }) => ({ name: portName, containerPort: port })),
    env: Object.entries(args.environment ?? {}).map(([key, value]) => ({ name: key, value })),
    readinessProbe: { ...probe, initialDelaySeconds: 5, periodSeconds: 10 },
    livenessProbe: { ...probe, initialDelaySeconds: 15, periodSeconds: 20 },
    resources: { requests: { cpu: resources.cpu, memory: resources.memory }, limits: { memory: resources.memoryLimit } },
    // An image that has its own user may have to begin as root, and to give up rights itself.
    securityContext: { allowPrivilegeEscalation: false, ...(args.runAsUser === undefined ? {} : { capabilities: { drop: ["ALL"] } }) },
    volumeMounts: (args.writable ?? []).map((path, index) => ({ name: `writable-${index}`, mountPath: path })),
  };
}

/** An application without state of its own: a namespace, a Deployment, a Service, and a route for each host name. */
export class WebApp extends Component {
  /** The image that runs; known once it is ready. */
  readonly image: pulumi.Output<string>;
  private readonly urls = new Map<string, pulumi.Output<string>>();

  constructor(name: string, args: WebAppArgs, opts?: pulumi.ComponentResourceOptions) {
    super("apps:WebApp", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    const labels = { "app.kubernetes.io/name": name };
    const deployment = new Deployment(
      `${name}-deployment`,
      {
        metadata: { name, namespace, labels },
        spec: {
          replicas: args.replicas ?? 1,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              automountServiceAccountToken: false,
              securityContext: {
                seccompProfile: { type: "RuntimeDefault" },
                ...(args.runAsUser === undefined ? {} : { runAsNonRoot: true, runAsUser: args.runAsUser, fsGroup: args.runAsUser }),
              },
              containers: [container(name, args)],
              volumes: (args.writable ?? []).map((_, index) => ({ name: `writable-${index}`, emptyDir: {} })),
            },
          },
        },
      },
      this.child({ customTimeouts: timeouts(10) }),
    );
    const service = new Service(
      `${name}-service`,
      {
        metadata: { name, namespace, labels },
        spec: { selector: labels, ports: args.ports.map((port) => ({ name: port.name, port: port.port, targetPort: port.name })) },
      },
      this.child({ dependsOn: [deployment], customTimeouts: timeouts(10) }),
    );
    for (const { name: portName, port, host } of args.ports) {
      if (host === undefined) continue;
      const route = new WebIngress(
        `${name}-${portName}`,
        { host, namespace, service: service.metadata.name, port, className: args.ingressClass, issuer: args.issuer },
        this.child(),
      );
      this.urls.set(portName, route.url);
    }
    this.image = after(deployment, args.image);
    this.registerOutputs({ urls: Object.fromEntries(this.urls), image: this.image });
  }

  /** `https://<host>` of a port that has one; known once the route is there. */
  url(port: string): pulumi.Output<string> {
    const url = this.urls.get(port);
    if (url === undefined) throw new Error(`the port "${port}" has no host name`);
    return url;
  }
}
