import * as pulumi from "@pulumi/pulumi";

/**
 * Base of all components. A subclass validates its arguments first (pure, throws at once), then calls `super`, makes its
 * children with {@link child}, sets its public fields and ends with `registerOutputs`.
 */
export abstract class Component extends pulumi.ComponentResource {
  /** @param kind `<folder>:<Class>`; the type token is `homelab:<folder>:<Class>` */
  protected constructor(kind: string, name: string, opts: pulumi.ComponentResourceOptions | undefined) {
    super(`homelab:${kind}`, name, {}, opts);
  }

  /** Options of a child: this component is its parent, the rest is as given. */
  protected child(opts: pulumi.CustomResourceOptions = {}): pulumi.CustomResourceOptions {
    return { ...opts, parent: this };
  }
}

/** How long an operation may take before it counts as failed. */
export const timeouts = (minutes: number): pulumi.CustomTimeouts => ({ create: `${minutes}m`, update: `${minutes}m`, delete: `${minutes}m` });
