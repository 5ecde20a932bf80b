/** Exit codes of `homelab` (design.md, section 7). They are part of the interface: scripts and pipelines read them. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  /** Changes were found where none were expected. */
  changes: 3,
  /** A gate refused. */
  refused: 4,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
