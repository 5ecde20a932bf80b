/** Names that are written to the public zone as well: one instance of external-dns for those with public addresses, one for private ones. Pure. */
import type { Place } from "../place";
import type { ExternalDnsOptions } from "./options";
import { publicRelease, publicValues } from "./values";

/** Values of each instance that there is something for, by release name. */
export function publicInstances(
  options: Pick<ExternalDnsOptions, "public">,
  place: Pick<Place, "domain" | "environment" | "routes">,
): Map<string, ReturnType<typeof publicValues>> {
  const { domain, environment, routes } = place;
  const all = Object.entries(options.public);
  return new Map(
    [false, true].flatMap((isPrivate) => {
      const names = all.filter(([, given]) => given.private === isPrivate).map(([name]) => `${name}.${domain}`);
      return names.length === 0
        ? []
        : [[publicRelease(isPrivate), publicValues({ environment, domain, names, istio: routes.kind === "istio", isPrivate })] as const];
    }),
  );
}
