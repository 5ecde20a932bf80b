/** Tokens of service accounts with a made-up signature. That suffices where the cluster checks the signature by a TokenReview. */
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

const HOUR = 3600;

export interface Claims {
  sub?: string;
  exp?: number;
  aud?: string[];
  "kubernetes.io"?: { namespace: string; serviceaccount: { name: string; uid: string } };
}

/** @param claims default: those of the account `reader` in the namespace `app` */
export function serviceAccountToken(claims: Claims = {}): string {
  const now = Math.floor(Date.now() / 1000);
  const body = {
    iss: "https://kubernetes.default.svc",
    iat: now,
    exp: now + HOUR,
    aud: ["https://kubernetes.default.svc"],
    sub: "system:serviceaccount:app:reader",
    "kubernetes.io": { namespace: "app", serviceaccount: { name: "reader", uid: "uid-of-reader" } },
    ...claims,
  };
  return `${part({ alg: "RS256", kid: "conformance" })}.${part(body)}.${part({ forged: true })}`;
}
