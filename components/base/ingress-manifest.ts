/** A host name with a certificate in front of a service, as a manifest. Pure; loads no Pulumi SDK. */

/** @template V a value that may be known only while the stack is built */
export interface Route<V> {
  /** Of the Ingress; its certificate is in the Secret `<name>-tls`. */
  readonly name: string;
  readonly host: string;
  readonly namespace: V;
  /** Name of the Service. */
  readonly service: V | string;
  readonly port: number;
  /** Ingress class of the cluster. */
  readonly className: string;
  /** ClusterIssuer for the certificate. */
  readonly issuer: V;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const ingressOf = <V>({ name, host, namespace, service, port, className, issuer, annotations }: Route<V>) => ({
  apiVersion: "networking.k8s.io/v1" as const,
  kind: "Ingress" as const,
  metadata: { name, namespace, annotations: { "cert-manager.io/cluster-issuer": issuer, ...annotations } },
  spec: {
    ingressClassName: className,
    tls: [{ hosts: [host], secretName: `${name}-tls` }],
    rules: [{ host, http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: service, port: { number: port } } } }] } }],
  },
});
