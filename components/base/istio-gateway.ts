import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import * as pulumi from "@pulumi/pulumi";
import { after, Component } from "./component";
import { ISTIO_NETWORKING_API } from "./istio-routes";

/** A port whose TLS connections are passed through, routed by the name in the ClientHello (SNI). */
export interface PassthroughPort {
  readonly name: string;
  readonly port: number;
  readonly hosts: readonly string[];
}

export interface IstioGatewayArgs {
  /** Of the object. */
  readonly name: string;
  readonly namespace: pulumi.Input<string>;
  /** Names that it serves over TLS; `*` and wildcards are allowed. */
  readonly hosts: readonly string[];
  /** Secret with the certificate, in the namespace of the gateway's pods. It must cover every host. */
  readonly certificate: pulumi.Input<string>;
  /** Labels of the gateway's pods. Default: those of the chart's release `istio-ingressgateway`. */
  readonly selector?: Readonly<Record<string, string>>;
  /** false: port 80 is closed. Default true: it redirects to HTTPS. */
  readonly redirect?: boolean;
  /** Ports whose TLS the gateway does not terminate. */
  readonly passthrough?: readonly PassthroughPort[];
}

const SELECTOR = { istio: "ingressgateway" };

/** The `spec` of a Gateway. */
function gatewaySpec({ hosts, certificate, selector = SELECTOR, redirect = true, passthrough = [] }: IstioGatewayArgs) {
  const http = { port: { number: 80, name: "http", protocol: "HTTP" }, hosts: [...hosts], tls: { httpsRedirect: true } };
  const https = {
    port: { number: 443, name: "https", protocol: "HTTPS" },
    hosts: [...hosts],
    tls: { mode: "SIMPLE", credentialName: certificate, minProtocolVersion: "TLSV1_2" },
  };
  const further = passthrough.map(({ name, port, hosts: own }) => ({
    port: { number: port, name, protocol: "TLS" },
    hosts: [...own],
    tls: { mode: "PASSTHROUGH" },
  }));
  return { selector: { ...selector }, servers: [...(redirect ? [http] : []), https, ...further] };
}

/** @throws pulumi.InputPropertyError for a gateway without hosts, or with one port twice */
function validateIstioGateway({ hosts, passthrough = [] }: IstioGatewayArgs): void {
  if (hosts.length === 0) throw new pulumi.InputPropertyError({ propertyPath: "hosts", reason: "a gateway needs at least one host" });
  const ports = [80, 443, ...passthrough.map(({ port }) => port)];
  const twice = ports.find((port, index) => ports.indexOf(port) !== index);
  if (twice !== undefined) throw new pulumi.InputPropertyError({ propertyPath: "passthrough", reason: `the port ${twice} is taken twice` });
}

/** Where Istio's gateway listens, and with which certificate. Its namespace must let it in from outside. */
export class IstioGateway extends Component {
  /** `<namespace>/<name>`, as routes name it; known once it exists. */
  readonly reference: pulumi.Output<string>;

  constructor(name: string, args: IstioGatewayArgs, opts?: pulumi.ComponentResourceOptions) {
    validateIstioGateway(args);
    super("base:IstioGateway", name, opts);
    const gateway = new CustomResource(
      `${name}-gateway`,
      { apiVersion: ISTIO_NETWORKING_API, kind: "Gateway", metadata: { name: args.name, namespace: args.namespace }, spec: gatewaySpec(args) },
      this.child(),
    );
    this.reference = after(gateway, pulumi.interpolate`${args.namespace}/${args.name}`);
    this.registerOutputs({ reference: this.reference });
  }
}
