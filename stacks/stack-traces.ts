/**
 * Stack traces as Node writes them. The SDK installs `source-map-support`, which reads and applies the maps of the SDK's own
 * files for each stack trace, and the SDK takes one for every promise: a fifth of the program's time, for a program whose
 * compiled files have no maps. Its frames (`node_modules/@pulumi/output.ts:516:31`) have another fault: Node 20.20 never returns
 * from `util.inspect(error, { colors: true })` with one directly below a package's scope, and so a failing program would hang.
 */
export function useNativeStackTraces(): void {
  Reflect.deleteProperty(Error, "prepareStackTrace");
}
