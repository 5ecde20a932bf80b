import { type AuthContext, utils } from "ssh2";

export { newSshKey, publicHalf } from "../../common/ssh-key";

/** Whether the client holds one of the keys (lines of authorized_keys); its signature, where sent, is checked. */
export function isAuthorized(context: AuthContext, keys: readonly string[]): boolean {
  if (context.method !== "publickey") return false;
  return keys.some((line) => {
    const key = utils.parseKey(line);
    if (key instanceof Error || Array.isArray(key) || !key.getPublicSSH().equals(context.key.data)) return false;
    if (context.signature === undefined || context.blob === undefined) return true;
    return key.verify(context.blob, context.signature, context.hashAlgo) === true;
  });
}
