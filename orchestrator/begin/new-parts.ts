/** `homelab new`: parts of a homelab, in the files of the checkout. */
import { HomelabError } from "../../common/errors";
import { projectRoot } from "../../common/paths";
import { newStack, newVm } from "../../scaffold/new-parts";
import type { Arguments } from "../cli/command";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";

function needed(args: Arguments, flag: string, what: string): string {
  const value = args.text(flag);
  if (value === undefined) throw new HomelabError("E_USAGE", `--${flag} is missing: ${what}`, { hint: "see `homelab help new`" });
  return value;
}

/** @throws HomelabError E_USAGE, E_SITE, E_EXISTS */
export async function newPart(verb: string, args: Arguments, session: Session): Promise<ExitCode> {
  const [name = ""] = args.words;
  const root = projectRoot();
  const isStack = verb === "stack";
  const stack = isStack ? name : needed(args, "stack", "the stack that the VM is for");
  const like = needed(args, "like", isStack ? "the stack that the new one is like" : "the VM that the new one is like");
  const files = isStack ? newStack(root, name, like) : newVm(root, name, stack, like);
  session.out(`${files.map((file) => `  ${file}`).join("\n")}\nNext: look at what was written, then homelab preview ${stack} --lab\n`);
  return EXIT.done;
}
