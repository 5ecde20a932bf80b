import * as fs from "node:fs";
import { ENV, readEnv } from "../../common/env";
import { HomelabError } from "../../common/errors";

/** An SSH jump host through which every VM is reached. */
export interface Bastion {
  host: string;
  port: number;
  user: string;
  /** Secret; OpenSSH or PEM text. */
  privateKey: string;
  /** As in known_hosts. Left out: any key is accepted. */
  hostKey?: string | undefined;
}

/**
 * The jump host of HOMELAB_BASTION (`ssh://user@host:port`) with the key of HOMELAB_BASTION_KEY_FILE, and its own key
 * (HOMELAB_BASTION_HOST_KEY), or undefined: hosts are then reached directly.
 * @throws HomelabError E_BASTION
 */
export function bastionFromEnvironment(): Bastion | undefined {
  const address = readEnv(ENV.bastion);
  if (address === undefined) return undefined;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== "ssh:" || url.username === "" || url.hostname === "") {
    throw new HomelabError("E_BASTION", `${ENV.bastion} is not a bastion's address`, { hint: "write it as ssh://user@host:port" });
  }
  const keyFile = readEnv(ENV.bastionKeyFile);
  if (keyFile === undefined)
    throw new HomelabError("E_BASTION", `${ENV.bastion} is set, and ${ENV.bastionKeyFile} is not`, { hint: "name the private key for the bastion" });
  const hostKey = readEnv(ENV.bastionHostKey);
  if (hostKey !== undefined && !/^\S+ [A-Za-z0-9+/=]+/.test(hostKey.trim()))
    throw new HomelabError("E_BASTION", `${ENV.bastionHostKey} is no host key`, { hint: "write it as in known_hosts: ssh-ed25519 AAAA…" });
  try {
    return {
      ...(hostKey === undefined ? {} : { hostKey }),
      host: url.hostname,
      port: url.port === "" ? 22 : Number(url.port),
      user: decodeURIComponent(url.username),
      privateKey: fs.readFileSync(keyFile, "utf8"),
    };
  } catch (cause) {
    throw new HomelabError("E_BASTION", `the bastion's key ${keyFile} cannot be read`, { cause, subject: keyFile, hint: `correct ${ENV.bastionKeyFile}` });
  }
}
