/** What each of our processes does before it loads anything else. Measured: docs/adr/0008-what-a-start-loads.md. */
import { enableCompileCache } from "./compile-cache";
import { CLOSURE_MODULES, type DeferredModules, deferModules, LOCALE_MODULES } from "./defer-module";
import { runShort } from "./short-run";
import { keepHeapSmall } from "./small-heap";

/**
 * @param kind of process, for its compile cache
 * @param deferred modules to load when they are first used, besides those that none of our processes uses at its start
 */
export function leanStart(
  kind: "homelab" | "render" | "worker" | "engine" | "program" | "command" | "providers" | "wait-ready" | "cluster-task" | "harbor-set-up",
  deferred: DeferredModules = {},
): void {
  if (kind === "engine") keepHeapSmall();
  if (kind === "render") runShort();
  enableCompileCache(kind);
  deferModules({ ...CLOSURE_MODULES, ...LOCALE_MODULES, ...deferred });
}
