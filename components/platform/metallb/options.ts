import { z } from "zod";

export const metallbOptions = z.strictObject({
  addresses: z
    .array(z.string())
    .min(1, "must have at least one range")
    .describe(
      "Addresses that it gives to Services, as `first-last` or CIDR: of the nodes' own network, and given out by nobody else. One that a machine has is refused",
    ),
});

export type MetallbOptions = z.output<typeof metallbOptions>;
