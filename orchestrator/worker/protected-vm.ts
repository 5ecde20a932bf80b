/** The engine refuses to replace or delete a protected resource, and names a flag of the program. Here a person changes a setting instead. */
const PROTECTED = /resource "(urn:[^"]*homelab:hosts:Vm\$[^"]*::([^":]+)-vm)"[\s\S]*?(?:marked for protection|it is protected)/;

/** What to do about a protected VM, or undefined where no error is about one. */
export function protectedVmHint(errors: readonly string[]): string | undefined {
  const vm = errors.map((error) => PROTECTED.exec(error)?.[2]).find((name) => name !== undefined);
  if (vm === undefined) return undefined;
  return `${vm} holds data or is protected by its stack. To lose its disks, name it in homelab:replaceVms of the stack's settings, run up, and take the name out again (docs/vms.md)`;
}
