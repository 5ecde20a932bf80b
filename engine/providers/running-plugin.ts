/** A plugin that listens. */
export interface RunningPlugin {
  /** `127.0.0.1:port` */
  address: string;
  /** The last of what it wrote to stderr, for crash reports. */
  stderrTail(): string;
  /**
   * How its process ended (`exit code 3`, `SIGSEGV`); undefined while it runs, or where this process did not start it. Waits a moment,
   * because a broken connection is noticed before the exit.
   */
  ended(): Promise<string | undefined>;
  stop(): Promise<void>;
  /** Ends it now. */
  kill(): void;
}

/** A broken connection is noticed before the exit of the process behind it. */
const END_WAIT_MS = 1_000;

/** See {@link RunningPlugin.ended}. */
export async function endedSoon(end: Promise<string>): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const none = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), END_WAIT_MS);
  });
  try {
    return await Promise.race([end, none]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * How a plugin's process ended while it was asked something, for a report.
 * @param redact hides secrets in what it wrote
 * @returns undefined where it lives, or is not ours
 */
export async function crashOf(plugin: RunningPlugin, redact: (text: string) => string): Promise<string | undefined> {
  const end = await plugin.ended();
  if (end === undefined) return undefined;
  const tail = redact(plugin.stderrTail()).trimEnd();
  const said = tail === "" ? "it wrote nothing to stderr" : `the end of its stderr:\n${tail.replace(/^/gm, "    ")}`;
  return `ended in the middle of a call (${end}); ${said}`;
}
