import { z } from "zod";

export const externalDnsOptions = z.strictObject({
  formerNames: z
    .array(z.string().regex(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/, "must be a name without the domain, such as dev.ascii"))
    .default([])
    .describe(
      "Names, without the domain, whose routes were taken away. Pi-hole keeps no owners of records: a name must be listed for its record to be deleted",
    ),
});

export type ExternalDnsOptions = z.output<typeof externalDnsOptions>;
