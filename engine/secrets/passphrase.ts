/** The passphrase secrets provider, bit-compatible with the CLI's (engine-contract G4). */
import { createCipheriv, createDecipheriv, pbkdf2Sync, randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { ENV, readEnv, readRawEnv } from "../../common/env";
import { CliError } from "../errors";

const ITERATIONS = 1_000_000;
const KEY_BYTES = 32;
const TAG_BYTES = 16;
/** The salt holds this text encrypted, so that a wrong passphrase is noticed. */
const CHECK_TEXT = "pulumi";

function encryptWith(key: Buffer, plaintext: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  const sealed = Buffer.concat([cipher.update(plaintext, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return `v1:${nonce.toString("base64")}:${sealed.toString("base64")}`;
}

function decryptWith(key: Buffer, ciphertext: string): string {
  const [version, nonce, sealed] = ciphertext.split(":");
  if (version !== "v1" || nonce === undefined || sealed === undefined) throw new CliError("a secret is not in the form that the passphrase provider writes");
  const bytes = Buffer.from(sealed, "base64");
  const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64"));
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(0, bytes.length - TAG_BYTES)), decipher.final()]).toString("utf8");
}

/** An empty passphrase is valid if the variable is set. */
function passphrase(): string {
  const direct = readRawEnv("PULUMI_CONFIG_PASSPHRASE");
  if (direct !== undefined) return direct;
  const file = readEnv("PULUMI_CONFIG_PASSPHRASE_FILE");
  if (file === undefined) throw new CliError("passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE environment variables");
  try {
    return fs.readFileSync(file, "utf8").trim();
  } catch (cause) {
    throw new CliError(`the file ${file} (PULUMI_CONFIG_PASSPHRASE_FILE) cannot be read`, 1, { cause });
  }
}

/** By passphrase and salt: settings and state of a stack have the same salt, and a derivation takes about half a second. */
const derived = new Map<string, Buffer>();

function derive(salt: Buffer, phrase: string): Buffer {
  const name = JSON.stringify([phrase, salt.toString("hex")]);
  const key = derived.get(name) ?? pbkdf2Sync(phrase, salt, ITERATIONS, KEY_BYTES, "sha256");
  derived.set(name, key);
  return key;
}

/** The key that our parent process has derived already, if it is for this salt. The check in the salt tells whether it is right. */
function handedDown(salt: string): Buffer | undefined {
  const [forSalt, key = ""] = readEnv(ENV.passphraseKey)?.split(":") ?? [];
  const bytes = Buffer.from(key, "base64");
  return forSalt === salt && bytes.length === KEY_BYTES ? bytes : undefined;
}

/** Whether a key is the one that the salt was made with. */
function opens(key: Buffer, check: string): boolean {
  try {
    return decryptWith(key, check) === CHECK_TEXT;
  } catch {
    // The cipher's own check fails for a text that another key encrypted.
    return false;
  }
}

/** Encrypts and decrypts under one salt. The key is derived (about half a second) when it is first needed. */
export class PassphraseSecrets {
  #key: Buffer | undefined;

  constructor(
    /** `v1:<salt>:v1:<nonce>:<check>`, as it stands in settings and states. */
    readonly salt: string,
    key?: Buffer,
  ) {
    this.#key = key;
  }

  /** A new salt. @param phrase default: the environment's */
  static create(phrase = passphrase()): PassphraseSecrets {
    const salt = randomBytes(8);
    const key = derive(salt, phrase);
    return new PassphraseSecrets(`v1:${salt.toString("base64")}:${encryptWith(key, CHECK_TEXT)}`, key);
  }

  /** @throws CliError "incorrect passphrase" */
  unlock(): Buffer {
    if (this.#key !== undefined) return this.#key;
    const [version, salt, ...check] = this.salt.split(":");
    if (version !== "v1" || salt === undefined || check.length !== 3) throw new CliError(`the encryption salt ${this.salt} is malformed`);
    const known = handedDown(salt);
    const key = known !== undefined && opens(known, check.join(":")) ? known : derive(Buffer.from(salt, "base64"), passphrase());
    if (!opens(key, check.join(":"))) throw new CliError("incorrect passphrase");
    this.#key = key;
    return key;
  }

  encrypt(plaintext: string): string {
    return encryptWith(this.unlock(), plaintext);
  }

  decrypt(ciphertext: string): string {
    try {
      return decryptWith(this.unlock(), ciphertext);
    } catch (cause) {
      if (cause instanceof CliError) throw cause;
      throw new CliError("a secret cannot be decrypted: it was encrypted under another salt, or it is damaged", 1, { cause });
    }
  }
}
