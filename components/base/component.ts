import * as pulumi from "@pulumi/pulumi";

/** What is made by a provider lives in something, which may be gone and made anew as a whole. */
const homes = new WeakMap<pulumi.ProviderResource, pulumi.Resource>();

/**
 * Says that all that a provider makes lives in `home`: it is made anew when that is replaced, and nothing is asked of the one that
 * was there before (Pulumi: `deletedWith`).
 */
export function livesIn(provider: pulumi.ProviderResource, home: pulumi.Resource): void {
  homes.set(provider, home);
}

/** The options of a resource, with what {@link livesIn} says of its provider. */
export function withHome<T extends pulumi.CustomResourceOptions>(opts: T): T {
  const home = opts.provider === undefined ? undefined : homes.get(opts.provider);
  return home === undefined ? opts : { deletedWith: home, ...opts };
}

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
    return withHome({ ...opts, parent: this });
  }
}

/** How long an operation may take before it counts as failed. */
export const timeouts = (minutes: number): pulumi.CustomTimeouts => ({ create: `${minutes}m`, update: `${minutes}m`, delete: `${minutes}m` });
