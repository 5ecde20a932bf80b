/** How the program ended. `bail`: it failed and has said so itself. */
export type ProgramEnd = { kind: "done" } | { kind: "bail" } | { kind: "failed"; message: string };

export interface RunningProgram {
  end: Promise<ProgramEnd>;
  /** Ends it now: its registrations will never be answered. */
  kill(): void;
}
