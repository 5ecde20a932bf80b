import type { AddressInfo } from "node:net";
import type { Connection, Server } from "ssh2";
import { HomelabError, systemErrorCode } from "../../common/errors";

/** What `http.Server`, `net.Server` and ssh2's `Server` have in common. */
interface Listener {
  once(event: "error", handler: (error: Error) => void): unknown;
  off(event: "error", handler: (error: Error) => void): unknown;
  listen(port: number, host: string, done: () => void): unknown;
  address(): unknown;
}

/**
 * Listens on 127.0.0.1.
 * @param port 0 = any free one
 * @param flag the option that changes the port, for the error
 * @returns the port
 */
export function listenOn(server: Listener, port: number, flag?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => {
      const taken = systemErrorCode(error) === "EADDRINUSE";
      if (!taken) return reject(error);
      const hint = flag === undefined ? {} : { hint: `stop what listens there, or start the lab with ${flag} <another port>` };
      return reject(
        new HomelabError("E_LAB_PORT_IN_USE", `port ${port} on 127.0.0.1 is in use${flag === undefined ? "" : ` (${flag})`}`, {
          subject: `127.0.0.1:${port}`,
          ...hint,
        }),
      );
    };
    server.once("error", failed);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", failed);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Sends small packets of SSH at once (TCP_NODELAY), as sshd does. The types of ssh2 do not have this method. */
export const sendAtOnce = (client: Connection): void => void (client as Connection & { setNoDelay(on: boolean): void }).setNoDelay(true);

/** Ends an SSH server and the connections that it has. */
export const stopSsh = (server: Server, clients: Iterable<Connection>): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    for (const client of clients) client.end();
  });
