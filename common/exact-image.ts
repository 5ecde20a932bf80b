/** The schema of an image that something runs. */
import { z } from "zod";
import { isLatest, parseReference } from "./image-reference";

/** An exact image: `registry.example.org/library/app:1.0.0`, with a digest beside the tag or in its place. */
export const exactImage = z.string().superRefine((text, context) => {
  const say = (message: string): void => context.addIssue({ code: "custom", message });
  const image = parseReference(text);
  if (image === undefined) say("must be an image with its registry and a tag or digest, such as registry.example.org/library/app:1.0.0");
  else if (isLatest(image)) say("must not be the tag latest: it names a different image every time");
});
