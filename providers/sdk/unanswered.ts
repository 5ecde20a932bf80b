/** Requests that were sent, and of which nobody knows whether they took effect. */
import { HomelabError } from "../../common/errors";

const CODES: ReadonlySet<string> = new Set(["E_HTTP", "E_ANSWER", "E_TIMEOUT", "E_CANCELLED", "E_PROXMOX_TIMEOUT"]);
/** Status codes of a gateway that got no answer from the server behind it (502, 504; 596 and 599 of Proxmox, for another node). */
const GATEWAY: ReadonlySet<number> = new Set([502, 504, 596, 599]);

export const isGatewayStatus = (status: number): boolean => GATEWAY.has(status);

/**
 * Whether a request got no answer, or only one from a gateway: it may have taken effect.
 * @param thrown the request's error; if a server answered, it has the `status`
 */
export const isUnanswered = (thrown: unknown): boolean =>
  thrown instanceof HomelabError && (CODES.has(thrown.code) || ("status" in thrown && typeof thrown.status === "number" && isGatewayStatus(thrown.status)));
