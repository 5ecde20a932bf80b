import type { OperationOptions } from "../contracts";
import { DeploymentError } from "../errors";
import { needsOf, type ResourceState } from "../snapshot/types";
import { isProviderType, STACK_TYPE, urnType } from "../wire/urn";

/** A target as the CLI takes it: a URN, or a glob in which `*` stops at a colon and `**` does not. */
function matcher(pattern: string): (urn: string) => boolean {
  if (!pattern.includes("*")) return (urn) => urn === pattern;
  const source = pattern
    .replace(/[.+?^${}()|[\]\\]/g, "\\$&")
    .replaceAll("**", "\0")
    .replaceAll("*", "[^:]*")
    .replaceAll("\0", ".*");
  const regexp = new RegExp(`^${source}$`);
  return (urn) => regexp.test(urn);
}

/** Which resources an operation may touch. */
export class Targets {
  readonly #targets: ((urn: string) => boolean)[];
  readonly #excludes: ((urn: string) => boolean)[];
  readonly #replaces: ((urn: string) => boolean)[];
  readonly #added = new Set<string>();

  constructor(private readonly options: OperationOptions) {
    this.#targets = options.targets.map(matcher);
    this.#excludes = options.excludes.map(matcher);
    this.#replaces = options.replaces.map(matcher);
  }

  get limited(): boolean {
    return this.#targets.length > 0 || this.#excludes.length > 0;
  }

  get withDependents(): boolean {
    return this.options.targetDependents;
  }

  /** Named by a flag, or added as a dependent; the root stack and providers are always in. */
  includes(urn: string): boolean {
    if (!this.limited) return true;
    const type = urnType(urn);
    if (type === STACK_TYPE || isProviderType(type)) return true;
    return this.named(urn);
  }

  /** As {@link includes}, without what is always in: what a deletion may touch. */
  named(urn: string): boolean {
    if (this.#added.has(urn)) return this.#targets.length > 0;
    if (this.#targets.length > 0) return this.#targets.some((test) => test(urn));
    return !this.#excludes.some((test) => test(urn));
  }

  replaces(urn: string): boolean {
    return this.#replaces.some((test) => test(urn));
  }

  /** Adds what depends on a target, transitively, where the flag asks for it. */
  expand(resources: readonly ResourceState[]): void {
    if (this.#targets.length > 0 && this.options.targetDependents) {
      for (const r of resources)
        if (!this.named(r.urn) && [...needsOf(r)].some((urn) => this.named(urn) && !isProviderType(urnType(urn)))) this.#added.add(r.urn);
    }
  }

  /** @throws DeploymentError for a literal target that the state does not hold */
  requireKnown(resources: readonly ResourceState[], registered: ReadonlySet<string>): void {
    for (const urn of [...this.options.targets, ...this.options.replaces, ...this.options.excludes]) {
      if (urn.includes("*") || registered.has(urn) || resources.some((r) => r.urn === urn)) continue;
      throw new DeploymentError(`Target URN '${urn}' could not be found in the stack.`);
    }
  }
}
