/** What a promotion moves, and how one is refused. */
import { HomelabError } from "../../common/errors";
import type { StackApps } from "./app-facts";

export interface Move {
  readonly app: string;
  readonly to: StackApps;
  /** What runs there now, and what is to run, as the settings name them. */
  readonly now: string;
  readonly next: string;
  /** Stage that it comes from; undefined: it goes back, or is new in the first stage. */
  readonly from: StackApps | undefined;
}

export const refuse = (message: string, subject: string, hint: string): HomelabError => new HomelabError("E_PROMOTION", message, { subject, hint });
