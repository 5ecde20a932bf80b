/** A plugin that listens. */
export interface RunningPlugin {
  /** `127.0.0.1:port` */
  address: string;
  /** The last of what it wrote to stderr, for crash reports. */
  stderrTail(): string;
  stop(): Promise<void>;
}
