/** Requests of which nothing is known but that they were sent. */
import { HomelabError } from "../../common/errors";

const CODES: ReadonlySet<string> = new Set(["E_HTTP", "E_ANSWER", "E_TIMEOUT", "E_CANCELLED", "E_PROXMOX_TIMEOUT"]);
/** What stands before the server has waited in vain, or was cut off (502, 504; 596 and 599 by Proxmox, of another node). */
const GATEWAY: ReadonlySet<number> = new Set([502, 504, 596, 599]);

export const isGatewayStatus = (status: number): boolean => GATEWAY.has(status);

/**
 * No answer, or one by something that stands on the way: what was asked may have been done all the same.
 * @param thrown what the request ended with; an error of a server's answer has its `status`
 */
export const isUnanswered = (thrown: unknown): boolean =>
  thrown instanceof HomelabError && (CODES.has(thrown.code) || ("status" in thrown && typeof thrown.status === "number" && isGatewayStatus(thrown.status)));
