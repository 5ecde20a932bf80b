import type { z } from "zod";
import { answered } from "../../common/answer";

/**
 * What a command of the engine printed as JSON.
 * @param command as it is typed: `stack ls --json`
 * @throws HomelabError E_ENGINE_ANSWER
 */
export const engineAnswer = <T>(schema: z.ZodType<T>, stdout: string, command: string): T =>
  answered(schema, stdout, {
    from: `pulumi ${command}`,
    code: "E_ENGINE_ANSWER",
    hint: "run that command yourself: what it prints should be what docs/engine.md says of this version",
  });
