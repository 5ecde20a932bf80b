/** `homelab dev`: applications and what they depend on, for one's own machine. */
import { z } from "zod";
import { portableYaml } from "../../common/yaml";
import type { Arguments } from "../cli/command";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { askProgram } from "../target/ask-program";

const answerSchema = z.object({ compose: z.record(z.string(), z.unknown()) });

/** @throws HomelabError E_STACK_UNKNOWN, E_APP_UNKNOWN, E_COMPOSE; and the errors with which the program refuses a plan */
export async function compose(args: Arguments, session: Session): Promise<ExitCode> {
  const { compose: file } = answerSchema.parse(await askProgram("compose", JSON.stringify({ stack: args.text("stack"), apps: args.words })));
  session.out(`# Printed by \`homelab dev\`; its source is in site/apps.\n${portableYaml(file)}`);
  return EXIT.done;
}
