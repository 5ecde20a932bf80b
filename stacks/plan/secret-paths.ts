/** Entries of secrets/ with the program's own values, below the KV mount. */
import { storePath } from "../../common/vault-layout";

/** A value of secrets/. */
export interface SecretKey {
  path: string;
  key: string;
}

export const inStore = (entry: string, key: string = entry): SecretKey => ({ path: storePath(entry), key });

export const PROXMOX_TOKEN_ID = inStore("PROXMOX_TOKEN_ID");
export const PROXMOX_SECRET = inStore("PROXMOX_SECRET");
export const SSH_PRIVATE_KEY = inStore("SSH_PRIVATE_KEY");
export const CLOUDFLARE_TOKEN: SecretKey = { path: "cloudflare", key: "api-token" };
