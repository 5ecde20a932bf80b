/**
 * A token whose creation nobody answered: its secret is lost, and no request tells it from another. What can be done is to name its
 * accessor, so that it can be revoked before its time is over. It is not revoked here: a token of the same kind that somebody else asked
 * for in the same moment looks the same.
 */
import { asError, HomelabError } from "../../../common/errors";
import { isUnanswered } from "../../sdk/unanswered";
import type { JsonObject } from "../../sdk/values";
import type { VaultClient } from "../client";
import { asObject, asString } from "./values";

/** Time to look for it. */
const LOOK_MS = 10_000;
/** How far Vault's clock and ours may be apart. */
const SKEW_S = 60;

export interface LostToken {
  /** What was asked for. */
  inputs: JsonObject;
  /** When, in seconds since 1970. */
  asked: number;
  /** Accessors of tokens whose creation was answered to this process. */
  known: ReadonlySet<string>;
}

const names = (value: JsonObject[string] | undefined): string =>
  (Array.isArray(value) ? value.map(String) : [])
    .filter((name) => name !== "default")
    .toSorted()
    .join();

function isLike(found: JsonObject, { inputs, asked }: LostToken): boolean {
  const role = asString(inputs["roleName"]);
  const meta = JSON.stringify(Object.entries(asObject(found["meta"] ?? {})).toSorted());
  const wanted = JSON.stringify(Object.entries(asObject(inputs["metadata"] ?? {})).toSorted());
  return (
    Number(found["creation_time"]) >= asked - SKEW_S &&
    asString(found["path"]) === (role === "" ? "auth/token/create" : `auth/token/create/${role}`) &&
    asString(found["display_name"]) === `token-${asString(inputs["displayName"]) || "token"}` &&
    // A role may add policies of its own.
    (role !== "" || inputs["policies"] === undefined || names(found["policies"]) === names(inputs["policies"])) &&
    meta === wanted
  );
}

async function candidates(lost: LostToken, client: VaultClient, signal: AbortSignal): Promise<string[]> {
  const listed = asObject((await client.request("LIST", "auth/token/accessors", { signal }))?.["data"])["keys"];
  const found: string[] = [];
  for (const accessor of (Array.isArray(listed) ? listed : []).map(String)) {
    if (lost.known.has(accessor)) continue;
    const answer = await client.request("POST", "auth/token/lookup-accessor", { signal }, { accessor }).catch((thrown: unknown) => {
      // The token has ended between the two requests.
      if (thrown instanceof HomelabError && thrown.code === "E_VAULT") return undefined;
      throw thrown;
    });
    if (answer !== undefined && isLike(asObject(answer["data"]), lost)) found.push(accessor);
  }
  return found;
}

/** The error that a failed creation reports. If the request was not answered, it names the accessors of the tokens that the request may have made. */
export async function withLostToken(thrown: unknown, lost: LostToken, client: VaultClient, parent: AbortSignal): Promise<unknown> {
  if (!parent.aborted && !isUnanswered(thrown)) return thrown;
  const why = asError(thrown).message;
  try {
    const found = await candidates(lost, client, AbortSignal.timeout(LOOK_MS));
    if (found.length === 0) return thrown;
    const which = found.length === 1 ? `a token that nobody knows, with the accessor ${found[0]}` : `one of the tokens with the accessors ${found.join(", ")}`;
    return new HomelabError("E_UNANSWERED", `${why}; Vault may have made ${which}`, {
      cause: thrown,
      hint: `revoke it where nobody else asked for it (vault token revoke -accessor …), or let its time run out; then run again`,
    });
  } catch (cause) {
    return new HomelabError("E_UNANSWERED", `${why}; whether Vault made the token could not be seen: ${asError(cause).message}`, {
      cause: thrown,
      hint: "a token that nobody knows ends with its TTL; run again",
    });
  }
}
