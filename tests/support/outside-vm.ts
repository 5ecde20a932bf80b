/**
 * Loads a package by Node itself and not in Jest's context, which has no `import()`. Some packages load WebAssembly or their own parts by
 * `import()`. The package's arrays and errors belong to the outer realm: they are no instances of the test's Array and Error.
 */
export function outsideVm<T>(name: string): T {
  const { requireOutsideVm } = globalThis as unknown as { requireOutsideVm(name: string): T };
  return requireOutsideVm(name);
}
