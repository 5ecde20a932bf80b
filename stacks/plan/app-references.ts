/** References of an application to other stacks. Plain data. */
import type { App, FromStack } from "../define/app";

export const isReference = (value: unknown): value is FromStack => typeof value === "object" && value !== null && "from" in value;

/** The references in its environment; its image may be one too. */
export const environmentReferences = ({ environment }: { readonly environment?: App["environment"] | undefined }): FromStack[] =>
  Object.values(environment ?? {}).filter(isReference);
