import { z } from "zod";
import { network } from "../option-types";

export const cdiOptions = z.strictObject({
  podCidr: network("10.42.0.0/16")
    .default("10.42.0.0/16")
    .describe("Addresses of pods: volumes are filled by pods in the namespaces of their claims. k3s's own by default"),
});

export type CdiOptions = z.output<typeof cdiOptions>;
