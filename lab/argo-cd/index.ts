/**
 * Argo CD (v3.4), while its pods run: Applications and ApplicationSets of its namespace. The lab has what this program uses of it; everything
 * else is refused by name, in a condition and in the log of unhandled calls. Objects are marked by the annotation tracking-id.
 */
export { Applications } from "./applications";
export { ARGO_API } from "./schema";
export { ApplicationSets } from "./sets";
export { Unmodelled } from "./unmodelled";
