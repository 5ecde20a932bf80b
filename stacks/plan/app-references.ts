/** What an application takes from other stacks. Plain data. */
import type { App, FromStack } from "../define/app";

export const isReference = (value: unknown): value is FromStack => typeof value === "object" && value !== null && "from" in value;

/** Beside its image. */
export const environmentReferences = ({ environment }: { readonly environment?: App["environment"] | undefined }): FromStack[] =>
  Object.values(environment ?? {}).filter(isReference);
