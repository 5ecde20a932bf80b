/** Names that are also written to the public zone: one instance of external-dns for public addresses, one for private ones. Pure. */
import type { Place } from "../place";
import type { ExternalDnsOptions } from "./options";
import { publicRelease, publicValues } from "./values";

/** Helm values by release name, for each instance that has names: those to write, and those whose records are to be deleted. */
export function publicInstances(
  options: Pick<ExternalDnsOptions, "public" | "formerPublic">,
  place: Pick<Place, "domain" | "environment" | "routes">,
): Map<string, ReturnType<typeof publicValues>> {
  const { domain, environment, routes } = place;
  const istio = routes.kind === "istio";
  return new Map(
    [false, true].flatMap((isFormer) =>
      [false, true].flatMap((isPrivate) => {
        const all = Object.entries(isFormer ? options.formerPublic : options.public);
        const names = all.filter(([, given]) => given.private === isPrivate).map(([name]) => `${name}.${domain}`);
        return names.length === 0
          ? []
          : [[publicRelease(isPrivate, isFormer), publicValues({ environment, domain, names, istio, isPrivate, isFormer })] as const];
      }),
    ),
  );
}
