import * as net from "node:net";
import { type Connection, Server } from "ssh2";
import { listenOn, sendAtOnce, stopSsh } from "../core/server";
import { isAuthorized } from "../core/ssh-keys";
import type { LabContext, Stoppable } from "../core/world";

export interface Bastion extends Stoppable {
  port: number;
}

/** The user that may go through the bastion. */
export const BASTION_USER = "jump";

/** SSH server that forwards direct-tcpip channels to lab addresses, and nothing else: no shell, no agent, no reverse forwarding. */
export async function startBastion(ctx: LabContext, options: { port: number; hostKey: string; authorizedKey: string }): Promise<Bastion> {
  const clients = new Set<Connection>();
  const server = new Server({ hostKeys: [options.hostKey], ident: "OpenSSH_9.6p1" }, (client) => {
    clients.add(client);
    sendAtOnce(client);
    client.on("close", () => clients.delete(client));
    // The peer has closed the connection: nobody is left to get the error.
    client.on("error", () => clients.delete(client));
    client.on("authentication", (context) => {
      if (context.username === BASTION_USER && isAuthorized(context, [options.authorizedKey])) context.accept();
      else context.reject(["publickey"]);
    });
    client.on("tcpip", (accept, reject, info) => {
      const local = ctx.network.resolve(info.destIP, info.destPort);
      if (!local) {
        if (!ctx.network.isOwn(info.destIP)) ctx.unhandled.add({ system: "gateway", target: `${info.destIP}:${info.destPort}`, what: "SSH forwarding" });
        reject();
        return;
      }
      const upstream = net.connect({ port: local.port, host: "127.0.0.1", noDelay: true }, () => {
        const channel = accept();
        channel.pipe(upstream);
        upstream.pipe(channel);
        channel.on("error", () => upstream.destroy());
        channel.on("close", () => upstream.destroy());
        upstream.on("error", () => channel.destroy());
        upstream.off("error", reject);
      });
      upstream.once("error", reject);
    });
    client.on("session", (_accept, reject) => reject());
  });
  const port = await listenOn(server, options.port, "--bastion-port");
  return { port, stop: () => stopSsh(server, clients) };
}
