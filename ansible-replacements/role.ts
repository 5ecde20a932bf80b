/** One part of the state that a host is to have. `check` and `apply` are POSIX shell; see compile.ts for how they run. */
export interface Operation {
  /** Unique in its role; names the operation in reports and errors. */
  name: string;
  /**
   * Conditions that only read the host. All true: nothing to do. Exit code 1 to 125: differs. 126 and up: the check itself
   * could not run, which is a failure; but in check mode, after an operation that would change something, it counts as a difference.
   */
  check: readonly string[];
  /** Commands that make the conditions true, run one after the other until one fails. May be cut anywhere and run again. */
  apply: readonly string[];
  /** Shell functions that `check` and `apply` use, name to body. Names begin with `hl_`. Two operations may share a name only with the same body. */
  functions?: Readonly<Record<string, string>>;
}

/** The state that a host is to have, as operations in order. */
export interface Role {
  name: string;
  operations: readonly Operation[];
  /** Names of secrets that the operations use ({@link secretVariable}); their values come on standard input. */
  secrets?: readonly string[];
}

/** The shell variable that holds a secret while the script runs. */
export const secretVariable = (name: string): string => `HL_SECRET_${name}`;

/** Several roles as one: one session, their operations one after the other. */
export function combineRoles(name: string, ...roles: readonly Role[]): Role {
  return {
    name,
    operations: roles.flatMap((role) => role.operations),
    secrets: [...new Set(roles.flatMap((role) => role.secrets ?? []))],
  };
}
