/** A stack's outputs, from what `pulumi stack export --show-secrets` prints. */
import { z } from "zod";
import { HomelabError } from "../../common/errors";
import { SIGNATURE, SIGNATURE_KEY } from "../../common/signatures";
import type { OutputValue } from "./worker-protocol";

const { secret: SECRET } = SIGNATURE;
const STACK_TYPE = "pulumi:pulumi:Stack";

const exportSchema = z.looseObject({
  // A new stack may have none, as in state/pending-creates.ts.
  deployment: z
    .looseObject({
      resources: z.array(z.looseObject({ type: z.string(), delete: z.boolean().optional(), outputs: z.record(z.string(), z.unknown()).nullish() })).nullish(),
    })
    .nullable(),
});

const secretSchema = z.looseObject({ [SIGNATURE_KEY]: z.literal(SECRET), plaintext: z.string() });
const isMap = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** The value with its secrets in the clear, as `stack output --show-secrets` prints it. */
function inTheClear(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inTheClear);
  if (!isMap(value)) return value;
  if (value[SIGNATURE_KEY] === SECRET) return inTheClear(JSON.parse(secretSchema.parse(value).plaintext));
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, inTheClear(part)]));
}

/**
 * @param exported with its secrets in the clear
 * @returns by name; `secret` where the output itself is one. Empty where nothing was built
 * @throws HomelabError E_ENGINE_COMMAND where it is no export
 */
export function exportedOutputs(exported: unknown): Record<string, OutputValue> {
  const { data: state } = exportSchema.safeParse(exported);
  if (state === undefined)
    throw new HomelabError("E_ENGINE_COMMAND", "pulumi stack export printed what is no state", { hint: "this engine is of a version that was not tested" });
  const root = state.deployment?.resources?.find((resource) => resource.type === STACK_TYPE && resource.delete !== true);
  return Object.fromEntries(
    Object.entries(root?.outputs ?? {}).map(([name, value]) => [name, { value: inTheClear(value), secret: isMap(value) && value[SIGNATURE_KEY] === SECRET }]),
  );
}
