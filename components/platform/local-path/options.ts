import { z } from "zod";
import { nodeFolder } from "../option-types";

export const localPathOptions = z.strictObject({
  folder: nodeFolder("/opt/local-path-provisioner").default("/opt/local-path-provisioner").describe("Folder of each node in which volumes lie"),
});

export type LocalPathOptions = z.output<typeof localPathOptions>;
