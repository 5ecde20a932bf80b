import { PersistentVolumeClaim } from "@pulumi/kubernetes/core/v1/persistentVolumeClaim";
import * as pulumi from "@pulumi/pulumi";
import { after, Component, timeouts } from "./component";

const SIZE = /^[1-9]\d*(Mi|Gi|Ti)$/;

export interface PersistenceArgs {
  /** Of the claim. */
  readonly name: string;
  readonly namespace: pulumi.Input<string>;
  /** Such as `10Gi`. It can grow where the class allows it, and never shrink. */
  readonly size: string;
  readonly storageClass: string;
  /** Default `ReadWriteOnce`. */
  readonly access?: "ReadWriteOnce" | "ReadWriteOncePod" | "ReadWriteMany" | "ReadOnlyMany";
  /** false: the claim is deleted with the program's resource, and its data with it. Default true: it stays, and is deleted by hand. */
  readonly keep?: boolean;
}

/** A claim for a volume that no chart makes. */
export class Persistence extends Component {
  /** Known once the claim exists; it may be bound only by its first pod. */
  readonly claimName: pulumi.Output<string>;

  /** @throws pulumi.InputPropertyError for a size that is none */
  constructor(name: string, args: PersistenceArgs, opts?: pulumi.ComponentResourceOptions) {
    if (!SIZE.test(args.size)) throw new pulumi.InputPropertyError({ propertyPath: "size", reason: `"${args.size}" is no size; write one such as 10Gi` });
    super("base:Persistence", name, opts);
    const claim = new PersistentVolumeClaim(
      `${name}-claim`,
      {
        // Classes such as local-path bind a claim only when a pod uses it. To wait for that here would never end.
        metadata: { name: args.name, namespace: args.namespace, annotations: { "pulumi.com/skipAwait": "true" } },
        spec: { accessModes: [args.access ?? "ReadWriteOnce"], storageClassName: args.storageClass, resources: { requests: { storage: args.size } } },
      },
      this.child({ customTimeouts: timeouts(10), retainOnDelete: args.keep ?? true }),
    );
    this.claimName = after(claim, args.name);
    this.registerOutputs({ claimName: this.claimName });
  }
}
