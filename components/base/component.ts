import * as pulumi from "@pulumi/pulumi";

/** By provider: the resource in which everything that it makes lives, such as a cluster. */
const homes = new WeakMap<pulumi.ProviderResource, pulumi.Resource>();

/**
 * Says that everything that a provider makes lives in `home`. When `home` is deleted, all of it is gone, and the provider is not asked
 * to delete it (Pulumi: `deletedWith`).
 */
export function livesIn(provider: pulumi.ProviderResource, home: pulumi.Resource): void {
  homes.set(provider, home);
}

/** What {@link livesIn} says of a provider. */
export const homeOf = (provider: pulumi.ProviderResource): pulumi.Resource | undefined => homes.get(provider);

/** Gives each resource below a component what {@link livesIn} says of its provider, named or inherited. */
const withHome: pulumi.ResourceTransformation = ({ type, props, opts }) => {
  const provider = "provider" in opts && opts.provider !== undefined ? opts.provider : opts.parent?.getProvider(type);
  const home = provider === undefined ? undefined : homes.get(provider);
  return home === undefined ? undefined : { props, opts: { deletedWith: home, ...opts } };
};

/** `dependsOn` as a list. */
function listOf(dependsOn: pulumi.ResourceOptions["dependsOn"]): pulumi.Input<pulumi.Resource>[] {
  if (dependsOn === undefined) return [];
  return Array.isArray(dependsOn) ? dependsOn : [dependsOn as pulumi.Input<pulumi.Resource>];
}

/**
 * Base of all components. A subclass validates its arguments first (pure, throws at once), then calls `super`, makes its
 * children with {@link child}, sets its public fields and ends with `registerOutputs`. Providers come by `opts.providers` and are
 * inherited by children.
 */
export abstract class Component extends pulumi.ComponentResource {
  readonly #before: readonly pulumi.Input<pulumi.Resource>[];

  /** @param kind `<folder>:<Class>`; the type token is `homelab:<folder>:<Class>` */
  protected constructor(kind: string, name: string, opts: pulumi.ComponentResourceOptions | undefined) {
    // Children inherit transformations, so only the topmost component sets it.
    const isTop = !(opts?.parent instanceof Component);
    super(`homelab:${kind}`, name, {}, isTop ? { ...opts, transformations: [...(opts?.transformations ?? []), withHome] } : opts);
    this.#before = listOf(opts?.dependsOn);
  }

  /**
   * Options of a child: this component is its parent, and it waits for what the component waits for. Pulumi itself records a
   * component's `dependsOn` with the component alone; so every child is made with this, components among them.
   */
  protected child<T extends pulumi.CustomResourceOptions & pulumi.ComponentResourceOptions>(
    opts?: T,
  ): pulumi.CustomResourceOptions & pulumi.ComponentResourceOptions {
    const dependsOn = [...this.#before, ...listOf(opts?.dependsOn)];
    return { ...opts, ...(dependsOn.length === 0 ? {} : { dependsOn }), parent: this };
  }
}

/** A value that is known from the start, as an output that is known only once the resources exist. */
export function after<T>(resources: pulumi.Resource | readonly pulumi.Resource[], value: pulumi.Input<T>): pulumi.Output<T> {
  const urns = (Array.isArray(resources) ? resources : [resources]).map(({ urn }: pulumi.Resource) => urn);
  return pulumi.all([value as pulumi.Input<unknown>, ...urns]).apply(([plain]) => plain as T);
}

/** How long an operation may take before it counts as failed. */
export const timeouts = (minutes: number): pulumi.CustomTimeouts => ({ create: `${minutes}m`, update: `${minutes}m`, delete: `${minutes}m` });
