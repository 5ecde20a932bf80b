/** sys/generate-root: a new root token for a client that has enough of the unseal keys. */
import { randomInt, randomUUID } from "node:crypto";
import { type Answer, type Core, hash } from "./core";
import { badRequest, VaultError } from "./errors";
import { keyOf } from "./seal";
import type { Tokens } from "./tokens";
import { text } from "./values";

/** As long as a root token: `hvs.` and 24 characters. */
const OTP_LENGTH = 28;
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

interface Attempt {
  nonce: string;
  otp: string;
  /** Hashes of the keys that were given. */
  given: string[];
}

export class GenerateRoot {
  /** In memory, as in the real one: a server that restarts knows of none. */
  #attempt: Attempt | undefined;

  constructor(
    private readonly core: Core,
    private readonly tokens: Tokens,
  ) {}

  #status(otp: string, facts: Record<string, unknown> = {}): Answer {
    return {
      nonce: this.#attempt?.nonce ?? "",
      started: this.#attempt !== undefined,
      progress: this.#attempt?.given.length ?? 0,
      required: this.core.state.threshold,
      complete: false,
      encoded_token: "",
      encoded_root_token: "",
      pgp_fingerprint: "",
      otp,
      otp_length: OTP_LENGTH,
      ...facts,
    };
  }

  /** `sys/generate-root/attempt`; undefined = done, nothing to say */
  attempt(method: string, body: Record<string, unknown>): Answer {
    if (method === "GET") return this.#status("");
    if (method === "DELETE") {
      this.#attempt = undefined;
      return undefined;
    }
    if (method !== "POST" && method !== "PUT") throw new VaultError(405);
    if (text(body["pgp_key"]) !== "") throw this.core.notModelled("sys/generate-root with pgp_key", badRequest("pgp_key is not modelled by the lab"));
    const given = text(body["otp"]);
    if (given !== "" && given.length !== OTP_LENGTH) throw badRequest("OTP string is wrong length");
    if (this.#attempt !== undefined) throw badRequest("root generation already in progress");
    const otp = given || Array.from({ length: OTP_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
    this.#attempt = { nonce: randomUUID(), otp, given: [] };
    return this.#status(given === "" ? otp : "");
  }

  /** `sys/generate-root/update` */
  update(method: string, body: Record<string, unknown>): Answer {
    // The real one takes any method here, and misses the body.
    if (Object.keys(body).length === 0) throw badRequest(method === "GET" || method === "DELETE" ? "EOF" : "'key' must be specified in request body as JSON");
    if (text(body["key"]) === "") throw badRequest("'key' must be specified in request body as JSON");
    const key = keyOf(text(body["key"]));
    const attempt = this.#attempt;
    if (attempt === undefined) throw badRequest("no root generation in progress");
    if (text(body["nonce"]) !== attempt.nonce)
      throw badRequest(`incorrect nonce supplied; nonce for this root generation operation is ${JSON.stringify(attempt.nonce)}`);
    const id = hash(key.toString("base64"));
    if (attempt.given.includes(id)) throw badRequest("given key has already been provided during this generation operation");
    attempt.given.push(id);
    const { threshold, keyHashes } = this.core.state;
    const facts = { nonce: attempt.nonce, started: true, progress: attempt.given.length, otp_length: 0 };
    if (attempt.given.length < threshold) return this.#status("", facts);
    if (!attempt.given.every((known) => keyHashes.includes(known))) {
      attempt.given = [];
      throw badRequest(
        "root generation aborted: unable to authenticate: unable to retrieve stored keys: invalid key: failed to decrypt keys from storage: error decrypting seal wrapped value\nerror decrypting using seal shamir: cipher: message authentication failed",
      );
    }
    this.#attempt = undefined;
    const token = Buffer.from(this.tokens.addRoot(), "utf8");
    const encoded = Buffer.from(token.map((byte, index) => byte ^ (attempt.otp.charCodeAt(index) || 0)))
      .toString("base64")
      .replace(/=+$/, "");
    this.core.record("write", "generate-root");
    return this.#status("", { ...facts, complete: true, encoded_token: encoded, encoded_root_token: encoded });
  }
}
