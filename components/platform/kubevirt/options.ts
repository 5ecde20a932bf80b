import { z } from "zod";
import { network } from "../option-types";

export const kubevirtOptions = z.strictObject({
  emulation: z.boolean().default(false).describe("Run virtual machines in software, on nodes without KVM; slow"),
  podCidr: network("10.42.0.0/16")
    .default("10.42.0.0/16")
    .describe("Addresses of pods: volumes are handed out by pods in the namespaces of virtual machines. k3s's own by default"),
});

export type KubevirtOptions = z.output<typeof kubevirtOptions>;
