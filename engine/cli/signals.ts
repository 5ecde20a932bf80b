/** What SIGINT and SIGTERM mean while an operation runs. */
import type { EngineEventPayload } from "../contracts";

export interface Signals {
  /** Aborted at the first: what runs may finish, nothing new starts, providers are asked to cancel. */
  cancel: AbortSignal;
  /** Aborted at the second: everything ends at once, and what was under way stays pending in the state. */
  terminate: AbortSignal;
  /** Registers the receiver of messages about signals. */
  onMessage(tell: (event: EngineEventPayload) => void): void;
  release(): void;
}

/** @param changes whether the operation changes anything: a second signal then warns that resources may be left in an unknown state */
export function listenForSignals(changes: boolean): Signals {
  const [cancel, terminate] = [new AbortController(), new AbortController()];
  let tell: (event: EngineEventPayload) => void = () => undefined;
  const onSignal = (name: NodeJS.Signals): void => {
    const shown = name === "SIGINT" ? "^C" : name;
    const say = (message: string): void => tell({ stdoutEvent: { message, color: "always" } });
    if (!cancel.signal.aborted) {
      const risk = changes ? "Note that terminating immediately may lead to orphaned resources and other inconsistencies.\n" : "";
      say(`${shown} received; cancelling. If you would like to terminate immediately, ${name === "SIGINT" ? "press ^C" : `send ${name}`} again.\n${risk}`);
      cancel.abort();
    } else if (!terminate.signal.aborted) {
      say(`${shown} received; terminating\n`);
      terminate.abort();
      // The third signal: even the last write of the state hangs. What was journalled before is not lost.
    } else process.kill(process.pid, "SIGKILL");
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, onSignal);
  return {
    cancel: cancel.signal,
    terminate: terminate.signal,
    onMessage: (receiver) => {
      tell = receiver;
    },
    release: () => {
      for (const name of ["SIGINT", "SIGTERM"] as const) process.off(name, onSignal);
    },
  };
}
