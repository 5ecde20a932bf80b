/** Reads the engine's counts of operations, for tables and exit codes. */

/** Operations that leave everything as it is. */
const QUIET = new Set(["same", "read", "refresh"]);

export interface ChangeCounts {
  create: number;
  update: number;
  replace: number;
  delete: number;
  same: number;
}

export function countChanges(changes: Readonly<Record<string, number>>): ChangeCounts {
  const of = (...names: string[]): number => names.reduce((sum, name) => sum + (changes[name] ?? 0), 0);
  return {
    create: of("create", "import"),
    update: of("update"),
    replace: of("replace", "import-replacement"),
    delete: of("delete", "discard"),
    same: of("same"),
  };
}

export function changesAnything(changes: Readonly<Record<string, number>>): boolean {
  return Object.entries(changes).some(([op, count]) => count > 0 && !QUIET.has(op));
}

/** `3 to create, 1 to replace`, or `no changes`. */
export function changesText(changes: Readonly<Record<string, number>>, planned: boolean): string {
  const { create, update, replace, delete: gone } = countChanges(changes);
  const words: [number, string, string][] = [
    [create, "to create", "created"],
    [update, "to update", "updated"],
    [replace, "to replace", "replaced"],
    [gone, "to delete", "deleted"],
  ];
  const parts = words.filter(([count]) => count > 0).map(([count, future, past]) => `${count} ${planned ? future : past}`);
  return parts.length > 0 ? parts.join(", ") : "no changes";
}

/** `0.4s`, `12.3s`, `2m05s`. */
export function durationText(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)}s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, "0")}s`;
}
