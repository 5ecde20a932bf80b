import { z } from "zod";

export const localPathOptions = z.strictObject({
  folder: z.string().startsWith("/").default("/opt/local-path-provisioner").describe("Folder of each node in which volumes lie"),
});

export type LocalPathOptions = z.output<typeof localPathOptions>;
