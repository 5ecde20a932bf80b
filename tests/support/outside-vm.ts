/**
 * A package that is loaded by Node itself and not in Jest's own context, which has no `import()`: for one that loads WebAssembly or its
 * own parts in that way. What it gives is of the outer realm: its arrays and errors are no instances of the test's.
 */
export function outsideVm<T>(name: string): T {
  const { requireOutsideVm } = globalThis as unknown as { requireOutsideVm(name: string): T };
  return requireOutsideVm(name);
}
