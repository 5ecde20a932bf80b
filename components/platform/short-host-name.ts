import { z } from "zod";

/** A host name without the homelab's domain. @param example for the message */
export const shortHostName = (example: string) => z.string().regex(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/, `must be a name without the domain, such as ${example}`);
