/** The handshake of an SSH client (ssh2). It resolves with a client that is ready, or rejects with the reason of the failure. */
import type { Client } from "ssh2";
import { asError } from "./errors";

export interface Handshake {
  /** A client that is not connected yet: `begin` connects it. */
  client: Client;
  /** Ends the handshake with its reason. */
  signal: AbortSignal;
  /** @param fail ends the handshake, with a better reason than the client itself would give */
  begin: (fail: (cause: unknown) => void) => void;
  /** Makes the error that is thrown from the client's error. Default: the client's error. */
  explain?: (error: Error) => Error;
}

/**
 * A client that fails is destroyed. A client that fails later, while it is idle, is destroyed too: its next command then fails.
 * @throws what `begin` throws, such as for a private key that cannot be read; what `explain` makes of the client's error; the signal's reason
 */
export function handshake({ client, signal, begin, explain = (error) => error }: Handshake): Promise<Client> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => {
      signal.removeEventListener("abort", onAbort);
      client.destroy();
      reject(asError(cause));
    };
    const onAbort = (): void => fail(signal.reason);
    if (signal.aborted) return fail(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    const onError = (error: Error): void => fail(explain(error));
    client.once("error", onError);
    client.once("ready", () => {
      signal.removeEventListener("abort", onAbort);
      client.removeListener("error", onError);
      client.on("error", () => client.destroy());
      resolve(client);
    });
    client.once("close", () => fail(new Error("the connection was closed during the handshake")));
    try {
      begin(fail);
    } catch (cause) {
      fail(cause);
    }
    return undefined;
  });
}
