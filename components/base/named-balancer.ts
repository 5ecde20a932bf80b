/** A balancer with a host name of its own, for software that terminates TLS itself and has the certificate of that name. Pure. */

export interface NamedBalancer<V> {
  /** Of the Service. */
  name: string;
  namespace: V;
  /** Full host name, which external-dns writes. */
  host: string;
  /** Labels of the pods that it leads to. */
  selector: Readonly<Record<string, string>>;
  /** Port of the balancer. */
  port: number;
  /** Port of the pods. */
  targetPort: number;
}

/** The Service. */
export const namedBalancer = <V>({ name, namespace, host, selector, port, targetPort }: NamedBalancer<V>) => ({
  metadata: { name, namespace, annotations: { "external-dns.alpha.kubernetes.io/hostname": host } },
  spec: { type: "LoadBalancer", selector: { ...selector }, ports: [{ name: "https", port, targetPort }] },
});
