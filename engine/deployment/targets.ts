import type { OperationOptions } from "../contracts";
import { DeploymentError } from "../errors";
import type { ResourceState } from "../snapshot/types";

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

/** The resources that one flag names: URNs, globs, and those that are added during the run. */
class UrnSet {
  readonly #tests: ((urn: string) => boolean)[];
  readonly #added = new Set<string>();

  constructor(patterns: readonly string[]) {
    this.#tests = patterns.map(matcher);
  }

  get given(): boolean {
    return this.#tests.length > 0;
  }

  add(urn: string): void {
    this.#added.add(urn);
  }

  named(urn: string): boolean {
    return this.#tests.some((test) => test(urn));
  }

  has(urn: string): boolean {
    return this.#added.has(urn) || this.named(urn);
  }
}

/**
 * Which resources an operation may touch. Targets go before excludes. What depends on a target (or on what is excluded) is
 * added as it is met: resources come in an order in which what is needed comes first.
 */
export class Targets {
  readonly #targets: UrnSet;
  readonly #excludes: UrnSet;
  readonly #replaces: UrnSet;

  constructor(private readonly options: OperationOptions) {
    this.#targets = new UrnSet(options.targets);
    this.#excludes = new UrnSet(options.excludes);
    this.#replaces = new UrnSet(options.replaces);
  }

  /** Whether `--target` was given. */
  get targeted(): boolean {
    return this.#targets.given;
  }

  get excluding(): boolean {
    return !this.#targets.given && this.#excludes.given;
  }

  get limited(): boolean {
    return this.#targets.given || this.#excludes.given;
  }

  /** Whether the operation touches a resource that needs `needs`; remembers the answer for what depends on it. */
  admit(urn: string, needs: Iterable<string>): boolean {
    if (this.#targets.given) {
      const in_ = this.#targets.named(urn) || (this.options.targetDependents && [...needs].some((need) => this.#targets.has(need)));
      if (in_) this.#targets.add(urn);
      return in_;
    }
    if (!this.#excludes.given) return true;
    const out = this.#excludes.named(urn) || (this.options.excludeDependents && [...needs].some((need) => this.#excludes.has(need)));
    if (out) this.#excludes.add(urn);
    return !out;
  }

  /** Named by `--target` itself; without targets, everything is. */
  named(urn: string): boolean {
    return !this.#targets.given || this.#targets.named(urn);
  }

  excluded(urn: string): boolean {
    return this.#excludes.named(urn);
  }

  replaces(urn: string): boolean {
    return this.#replaces.named(urn);
  }

  get replacing(): boolean {
    return this.#replaces.given;
  }
}

/** Reports each literal target that matches no resource. @throws DeploymentError (shown already) if there is one */
export function requireKnown(patterns: readonly string[], known: (urn: string) => boolean, show: (message: string) => void): void {
  const unknown = patterns.filter((urn) => !urn.includes("*") && !known(urn));
  for (const urn of unknown) {
    const hint = urn.includes("$") ? "" : " Did you forget to escape $ in your shell?";
    show(`Target '${urn}' could not be found in the stack.${hint}`);
  }
  if (unknown.length > 0) throw new DeploymentError("");
}

/** The first target or exclude that is a plain URN (no glob) and not in the state. */
export function unknownLiteral(options: OperationOptions, resources: readonly ResourceState[]): string | undefined {
  const urns = new Set(resources.map((r) => r.urn));
  return [...options.targets, ...options.excludes].find((urn) => !urn.includes("*") && !urns.has(urn));
}
