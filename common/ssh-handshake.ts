/** The handshake of an SSH client (ssh2): it ends with a client that is ready, or with why there is none. */
import type { Client } from "ssh2";
import { asError } from "./errors";

export interface Handshake {
  /** A new one: `begin` connects it. */
  client: Client;
  /** Ends the handshake with its reason. */
  signal: AbortSignal;
  /** @param fail ends the handshake, with a better reason than the client itself would give */
  begin: (fail: (cause: unknown) => void) => void;
  /** What is said of an error of the client's. Default: the error itself. */
  explain?: (error: Error) => Error;
}

/**
 * A client that fails is destroyed. So is one that breaks when it is ready and idle: the next command sees that.
 * @throws what `begin` throws, such as of a private key that cannot be read; what `explain` makes of the client's error; the signal's reason
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
