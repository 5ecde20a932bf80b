/** `homelab values`: what Helm would get for a module of a stack. */
import { z } from "zod";
import { portableYaml } from "../../common/yaml";
import type { Arguments } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { askProgram } from "./ask-program";

const answerSchema = z.object({
  releases: z.array(
    z.object({ release: z.string(), repository: z.string(), chart: z.string(), version: z.string(), values: z.record(z.string(), z.unknown()) }),
  ),
});

/** @throws HomelabError E_STACK_UNKNOWN, E_MODULE_UNKNOWN; and the errors with which the program refuses a plan */
export async function showValues(args: Arguments, session: Session): Promise<ExitCode> {
  const [stack = "", module = ""] = args.words;
  const { releases } = answerSchema.parse(await askProgram("platform-values", JSON.stringify({ stack, module })));
  if (args.flag("json")) session.out(`${JSON.stringify({ version: 1, stack, module, releases }, null, 2)}\n`);
  else if (releases.length === 0) session.out(`# ${module} of ${stack} has no chart\n`);
  else {
    // Each document can be given to `helm template -f -`.
    const texts = releases.map(
      ({ release, repository, chart, version, values }) => `# release ${release}: chart ${chart} ${version} of ${repository}\n${portableYaml(values)}`,
    );
    session.out(texts.join("---\n"));
  }
  return EXIT.done;
}
