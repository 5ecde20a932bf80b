import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import * as pulumi from "@pulumi/pulumi";
import { after, Component, timeouts } from "./component";

/** Keys that a Secret of a type must have (https://kubernetes.io/docs/concepts/configuration/secret/#secret-types). */
const KEYS = {
  Opaque: [],
  "kubernetes.io/basic-auth": ["username", "password"],
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
} as const satisfies Record<string, readonly string[]>;

export interface CredentialsArgs {
  /** Of the Secret. */
  readonly name: string;
  readonly namespace: pulumi.Input<string>;
  /** Values by key. All of them become secret, also those given in plain text. */
  readonly values: Readonly<Record<string, pulumi.Input<string>>>;
  /** Default `Opaque`. */
  readonly type?: keyof typeof KEYS;
  readonly labels?: Readonly<Record<string, string>>;
}

/** @throws pulumi.InputPropertyError for a Secret without a key that its type must have, or without any */
function validateCredentials({ values, type = "Opaque", name }: CredentialsArgs): void {
  const missing = KEYS[type].filter((key) => values[key] === undefined);
  if (missing.length > 0)
    throw new pulumi.InputPropertyError({ propertyPath: "values", reason: `the Secret ${name} of the type ${type} needs ${missing.join(" and ")}` });
  if (Object.keys(values).length === 0) throw new pulumi.InputPropertyError({ propertyPath: "values", reason: `the Secret ${name} has no values` });
}

/** A Secret whose values the program has. Values in Vault reach the cluster by `platform:SecretAccess`, not through the program. */
export class Credentials extends Component {
  /** Known once the Secret exists. */
  readonly secretName: pulumi.Output<string>;

  constructor(name: string, args: CredentialsArgs, opts?: pulumi.ComponentResourceOptions) {
    validateCredentials(args);
    super("base:Credentials", name, opts);
    const stringData = Object.fromEntries(Object.entries(args.values).map(([key, value]) => [key, pulumi.secret(value)]));
    const metadata = { name: args.name, namespace: args.namespace, ...(args.labels === undefined ? {} : { labels: { ...args.labels } }) };
    const secret = new Secret(`${name}-secret`, { metadata, type: args.type ?? "Opaque", stringData }, this.child({ customTimeouts: timeouts(10) }));
    this.secretName = after(secret, args.name);
    this.registerOutputs({ secretName: this.secretName });
  }
}
