import { pbkdf2Sync } from "node:crypto";
import * as fs from "node:fs";
import { parse } from "yaml";

const derived = new Map<string, string>();

/**
 * The key of a stack, as a parent process passes it down. Deriving it costs each command of the engine a fifth of a second of processor
 * time. The engine checks it against the stack's salt, and derives its own if it does not match.
 * @param settings a stack's settings file; without a salt in it, nothing is passed down
 */
export function handedKey(settings: string, passphrase: string): Record<string, string> {
  const found: unknown = fs.existsSync(settings) ? parse(fs.readFileSync(settings, "utf8"))?.encryptionsalt : undefined;
  const salt = typeof found === "string" ? found.split(":")[1] : undefined;
  if (salt === undefined) return {};
  const key = derived.get(salt) ?? pbkdf2Sync(passphrase, Buffer.from(salt, "base64"), 1_000_000, 32, "sha256").toString("base64");
  derived.set(salt, key);
  return { HOMELAB_PASSPHRASE_KEY: `${salt}:${key}` };
}
