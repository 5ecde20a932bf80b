/** Who signs a cluster's certificates, as cert-manager has it. Pure. */

/** Name and specification of a ClusterIssuer, and the Secret that it works with. */
export interface IssuerPlan {
  readonly name: string;
  readonly spec: object;
  /** The Secret's name, and in its names the part that says what it is. */
  readonly secret: { readonly part: string; readonly name: string; readonly type?: string };
}

/** Of Let's Encrypt: the one that devices trust, and the one for trials (https://letsencrypt.org/docs/staging-environment). */
export const LETSENCRYPT = {
  letsencrypt: { name: "letsencrypt-prod", origin: "https://acme-v02.api.letsencrypt.org" },
  "letsencrypt-staging": { name: "letsencrypt-staging", origin: "https://acme-staging-v02.api.letsencrypt.org" },
} as const;
const OWN = "own-authority";

/** Let's Encrypt, which asks for records of the domain that the token may write at Cloudflare. */
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

/** The homelab's own authority: one for all clusters, so that a device is told once whom to trust. */
export const ownAuthority: IssuerPlan = {
  name: OWN,
  secret: { part: "authority", name: "certificate-authority", type: "kubernetes.io/tls" },
  spec: { ca: { secretName: "certificate-authority" } },
};

/** Name of the ClusterIssuer of these options; undefined where the module is not there. */
export function issuerName(options: unknown): string | undefined {
  const issuer = (options as { readonly issuer?: keyof typeof LETSENCRYPT | typeof OWN } | undefined)?.issuer;
  if (issuer === undefined) return undefined;
  return issuer === OWN ? OWN : LETSENCRYPT[issuer].name;
}
