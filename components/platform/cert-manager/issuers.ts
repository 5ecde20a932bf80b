/** ClusterIssuers of cert-manager: who signs a cluster's certificates. Pure. */

/** Name and specification of a ClusterIssuer, and the Secret that it works with. */
export interface IssuerPlan {
  readonly name: string;
  readonly spec: object;
  /** The Secret's name and type, and the suffix of its resource's name. */
  readonly secret: { readonly part: string; readonly name: string; readonly type?: string };
}

/** Let's Encrypt's production, which devices trust, and its staging for trials (https://letsencrypt.org/docs/staging-environment). */
export const LETSENCRYPT = {
  letsencrypt: { name: "letsencrypt-prod", origin: "https://acme-v02.api.letsencrypt.org" },
  "letsencrypt-staging": { name: "letsencrypt-staging", origin: "https://acme-staging-v02.api.letsencrypt.org" },
} as const;
const OWN = "own-authority";

/** Let's Encrypt with DNS-01: cert-manager writes the records at Cloudflare with the token. */
export const letsencrypt = ({ email, domain, by }: { email: string; domain: string; by: keyof typeof LETSENCRYPT }): IssuerPlan => {
  const { name, origin } = LETSENCRYPT[by];
  return {
    name,
    secret: { part: "cloudflare", name: "cloudflare-api-token" },
    spec: {
      acme: {
        server: `${origin}/directory`,
        email,
        privateKeySecretRef: { name },
        solvers: [{ selector: { dnsZones: [domain] }, dns01: { cloudflare: { apiTokenSecretRef: { name: "cloudflare-api-token", key: "api-token" } } } }],
      },
    },
  };
};

/** The homelab's own authority: one for all clusters, so that each device is set up once to trust it. */
export const ownAuthority: IssuerPlan = {
  name: OWN,
  secret: { part: "authority", name: "certificate-authority", type: "kubernetes.io/tls" },
  spec: { ca: { secretName: "certificate-authority" } },
};

/** Name of the ClusterIssuer for the module's options; undefined without the module. */
export function issuerName(options: unknown): string | undefined {
  const issuer = (options as { readonly issuer?: keyof typeof LETSENCRYPT | typeof OWN } | undefined)?.issuer;
  if (issuer === undefined) return undefined;
  return issuer === OWN ? OWN : LETSENCRYPT[issuer].name;
}
