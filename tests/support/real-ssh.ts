/** One command over a new SSH connection, with the host's key pinned. */
import { Client, utils } from "ssh2";

export interface RemoteResult {
  stdout: string;
  stderr: string;
  exitCode: number;
}

export interface RemoteCommand {
  address: string;
  user: string;
  privateKey: string;
  /** OpenSSH public key. */
  hostKey: string;
  command: string;
  stdin: string;
}

export function runOverSsh({ address, user, privateKey, hostKey, command, stdin }: RemoteCommand): Promise<RemoteResult> {
  const parsed = utils.parseKey(hostKey);
  if (parsed instanceof Error) throw parsed;
  return new Promise((resolve, reject) => {
    const client = new Client();
    let result: RemoteResult | undefined;
    client
      .on("error", reject)
      .on("close", () => (result === undefined ? reject(new Error(`connection to ${address} lost`)) : resolve(result)))
      .on("ready", () =>
        client.exec(command, (error, channel) => {
          if (error) {
            reject(error);
            client.end();
            return;
          }
          const out: Buffer[] = [];
          const err: Buffer[] = [];
          let exitCode = -1;
          channel.on("data", (chunk: Buffer) => out.push(chunk));
          channel.stderr.on("data", (chunk: Buffer) => err.push(chunk));
          channel.on("exit", (code: number | null) => {
            exitCode = code ?? -1;
          });
          channel.on("close", () => {
            result = { stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString(), exitCode };
            client.end();
          });
          channel.end(stdin);
        }),
      )
      .connect({ host: address, username: user, privateKey, readyTimeout: 10_000, hostVerifier: (key: Buffer) => key.equals(parsed.getPublicSSH()) });
  });
}
