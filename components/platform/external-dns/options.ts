import { z } from "zod";
import { shortHostName } from "../option-types";

const name = shortHostName("dev.ascii");

const options = z.strictObject({
  public: z
    .record(name, z.strictObject({ private: z.boolean().default(false) }))
    .default({})
    .describe(
      "Names, without the domain, that are written to the domain's zone at Cloudflare as well. An address of a private network is left out there, unless the name says `private: true`. Records have an owner there: they go when the route goes, and those of others stay",
    ),
  formerPublic: z
    .record(name, z.strictObject({ private: z.boolean().default(false) }))
    .default({})
    .describe(
      "Names that were in `public`, with what they had there: move a line here, and the next `up` deletes its record at Cloudflare, whether its route goes on in the homelab or not. The line may go when the record has gone",
    ),
  formerNames: z
    .array(name)
    .default([])
    .describe(
      "Names, without the domain, whose routes were taken away. Pi-hole keeps no owners of records: a name must be listed for its record to be deleted",
    ),
});

export const externalDnsOptions = options.superRefine((given, context) => {
  for (const both of Object.keys(given.formerPublic).filter((one) => given.public[one] !== undefined))
    context.addIssue({ code: "custom", path: ["formerPublic"], message: `${both} is in public as well: its record would be written and deleted in turn` });
});

export type ExternalDnsOptions = z.output<typeof externalDnsOptions>;
