/** Credentials that charts have by default and that everybody knows. Sources: values.yaml of each chart. Pure. */

/** By value: the chart or program whose default it is. */
export const DEFAULT_CREDENTIALS: ReadonlyMap<string, string> = new Map([
  ["console123", "minio"],
  ["minioadmin", "MinIO without a root user"],
  ["Harbor12345", "harbor"],
  ["not-a-secure-key", "harbor"],
  ["harbor_registry_password", "harbor"],
  ["changeit", "harbor"],
  ["prom-operator", "kube-prometheus-stack before 79"],
  ["supersecretpassword", "loki"],
]);

export interface FoundCredential {
  /** Path in the values, such as `users.0.secretKey`. */
  path: string;
  /** Whose default it is. */
  of: string;
}

/** Known default credentials in rendered values or options. */
export function findDefaultCredentials(value: unknown, path: readonly string[] = []): FoundCredential[] {
  if (typeof value === "string") {
    const of = DEFAULT_CREDENTIALS.get(value);
    return of === undefined ? [] : [{ path: path.join("."), of }];
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => findDefaultCredentials(inner, [...path, key]));
}
