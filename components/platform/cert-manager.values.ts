/** Values of the chart cert-manager 1.16. */
export function certManagerValues(): Record<string, unknown> {
  return {
    // The chart's own CRDs, kept by Helm when the release goes: certificates of others would go with them.
    crds: { enabled: true, keep: true },
    resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "256Mi" } },
    // DNS-01 checks ask public resolvers: Pi-hole answers for the same domain inside.
    extraArgs: ["--dns01-recursive-nameservers-only", "--dns01-recursive-nameservers=1.1.1.1:53,8.8.8.8:53"],
  };
}
