/**
 * Puts off loading modules that another package requires at its top and then hardly ever uses. Measured on Node 20:
 * `require("@pulumi/pulumi")` loads the TypeScript compiler (9 MB) and npm's dependency tree (500 files) for serialising
 * functions, which neither this project's program nor the Automation API does: half a second of each process.
 */
import Module from "node:module";

/** How a deferred module looks before it is loaded. */
export interface Deferral {
  /** Exports that its importers copy at once (`import * as`). Default none. */
  copied?: readonly string[];
  /** It is a compiled ES module: importers check that first, and then copy nothing. Default false. */
  esModule?: true;
  /** Exports that are answered without loading it; reading any other one loads it. */
  instead?: Readonly<Record<string, unknown>>;
  /** Defers it only in requiring files whose paths end like this: a relative name means another file elsewhere. */
  from?: string | readonly string[];
}

/** By the name under which a module is required. */
export type DeferredModules = Readonly<Record<string, Deferral>>;

/** What the Pulumi SDK requires for serialising functions alone. */
export const CLOSURE_MODULES: DeferredModules = {
  typescript: {},
  "@npmcli/arborist": { copied: ["Arborist", "Node", "Link", "Edge", "Shrinkwrap"] },
};

/** Texts of zod's errors in forty languages, of which it loads the one that it uses by itself. */
export const LOCALE_MODULES: DeferredModules = {
  "../locales/index.cjs": { from: ["/zod/v4/classic/external.cjs", "/zod/v4/core/index.cjs"], esModule: true },
};

/**
 * From now on `require` of one of these modules gives an object that loads it when it is first used. The meaning stays the same:
 * who does use the module gets all of it. Must run before the first `require` of them.
 */
export function deferModules(modules: DeferredModules): void {
  const deferred = new Map(Object.entries(modules));
  const { require: load } = Module.prototype;
  // Each module's `require` calls this method; Node offers no other place to intercept it.
  Module.prototype.require = Object.assign(function (this: NodeJS.Module, id: string): unknown {
    const deferral = deferred.get(id);
    if (deferral === undefined || !applies(deferral, this.filename ?? "")) return load.call(this, id);
    // A missing module must fail here and not at its first use: packages try one module and fall back to another.
    if (deferral.from === undefined) require.resolve(id, { paths: this.paths });
    return standIn(() => load.call(this, id), deferral);
  }, load);
}

const applies = ({ from }: Deferral, file: string): boolean => from === undefined || [from].flat().some((end) => file.endsWith(end));

type Callable = (...args: never[]) => unknown;
type Constructor = new (...args: never[]) => object;

/**
 * The target of a stand-in's proxy. It is a function, because some modules are called or constructed. It is a bound one, because a
 * plain function has a `prototype` that is not configurable, which the proxy would have to list.
 */
function callableTarget(): object {
  return function deferred() {
    return undefined;
  }.bind(undefined);
}

function standIn(load: () => object, { copied: members = [], esModule, instead = {} }: Deferral = {}): object {
  let loaded: object | undefined;
  const target = (): object => {
    loaded ??= load();
    return loaded;
  };
  const callable = (): Callable => {
    const found = target();
    if (typeof found !== "function") throw new TypeError("a deferred module that is no function was used as one");
    return found as Callable;
  };
  const copies = new Map<string, unknown>(members.map((name) => [name, standIn(() => Reflect.get(target(), name) as object)]));
  for (const [name, value] of Object.entries(instead)) copies.set(name, value);
  const read = (key: string | symbol): unknown => {
    if (loaded === undefined) {
      // Compiled imports ask this at once, to see whether the module has a default export.
      if (key === "__esModule") return esModule;
      if (typeof key === "string" && copies.has(key)) return copies.get(key);
    }
    return Reflect.get(target(), key);
  };
  return new Proxy(callableTarget(), {
    get: (_, key) => read(key),
    has: (_, key) => Reflect.has(target(), key),
    ownKeys: () => (loaded === undefined && members.length > 0 ? [...members] : Reflect.ownKeys(target())),
    getOwnPropertyDescriptor: (_, key) => {
      if (loaded === undefined && typeof key === "string" && copies.has(key)) {
        return { value: copies.get(key), enumerable: true, configurable: true, writable: true };
      }
      const found = Reflect.getOwnPropertyDescriptor(target(), key);
      // A proxy may not report a property as not configurable if its own target lacks it.
      return found === undefined ? undefined : { ...found, configurable: true };
    },
    apply: (_, self, args: never[]) => Reflect.apply(callable(), self, args),
    construct: (_, args: never[]) => new (callable() as unknown as Constructor)(...args),
  });
}
