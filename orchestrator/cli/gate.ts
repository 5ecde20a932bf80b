/** What must be agreed to before the real homelab is changed. In the lab nothing is asked. */
import { HomelabError } from "../../common/errors";
import type { Session } from "./session";

/** Refused by a gate: the exit code is 4. */
export const REFUSED = "E_REFUSED";

/**
 * @param what happens without a question, such as `homelab up changes the real homelab`
 * @param forPrograms whether a program reads the output, so that no question may appear in it
 * @throws HomelabError {@link REFUSED} where nobody can be asked
 */
export function refuseUnasked(session: Session, what: string, forPrograms: boolean): void {
  if (session.terminal.asks && !forPrograms) return;
  throw new HomelabError(REFUSED, `${what}, and ${forPrograms ? "--json leaves no room for a question" : "there is no terminal to ask at"}`, {
    hint: "add --yes in a script, or --lab to do it in the lab",
  });
}

/** Asks until the answer is one of the two; the end of the input is a no. */
export async function askToGoOn(session: Session, question: string): Promise<boolean> {
  for (;;) {
    const answer = (await session.ask(`${question} (yes/no) `))?.trim().toLowerCase();
    if (answer === "yes" || answer === "y") return true;
    if (answer === undefined || answer === "no" || answer === "n" || answer === "") return false;
  }
}

/**
 * The user agrees by typing the site's name; everything else is a no.
 * @param what happens to what, up to the name: `This destroys what is shown of`
 */
export async function askByName(session: Session, what: string, siteName: string): Promise<boolean> {
  return (await session.ask(`${what} the homelab ${siteName}. Type its name to go on: `))?.trim() === siteName;
}
