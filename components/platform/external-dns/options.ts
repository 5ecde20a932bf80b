import { z } from "zod";
import { shortHostName } from "../short-host-name";

const name = shortHostName("dev.ascii");

export const externalDnsOptions = z.strictObject({
  public: z
    .record(name, z.strictObject({ private: z.boolean().default(false) }))
    .default({})
    .describe(
      "Names, without the domain, that are written to the domain's zone at Cloudflare as well. An address of a private network is left out there, unless the name says `private: true`. Records have an owner there: they go when the route goes, and those of others stay",
    ),
  formerNames: z
    .array(name)
    .default([])
    .describe(
      "Names, without the domain, whose routes were taken away. Pi-hole keeps no owners of records: a name must be listed for its record to be deleted",
    ),
});

export type ExternalDnsOptions = z.output<typeof externalDnsOptions>;
