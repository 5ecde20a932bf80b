/** The objects of the reaper and of the golden image: those that `homelab sessions` prints. */
import { type GoldenImageOptions, goldenImageManifests } from "../../apps/sessions/golden-image";
import { reaperManifests } from "../../apps/sessions/session-manifests";
import type { Place } from "../place";
import type { KubevirtSessionsOptions } from "./options";

/** An object of Kubernetes as kubectl takes it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Readonly<Record<string, string>> };
  readonly [field: string]: unknown;
}

export const goldenImageOf = ({ goldenImage }: KubevirtSessionsOptions, { storageClass }: Pick<Place, "storageClass">): GoldenImageOptions => ({
  ...goldenImage,
  storageClass: goldenImage.storageClass ?? storageClass,
});

export const reaperObjects = ({ namespace, schedule }: KubevirtSessionsOptions): readonly Manifest[] => reaperManifests(namespace, schedule);

/** @throws HomelabError E_SESSION */
export const goldenImageObjects = (options: KubevirtSessionsOptions, place: Pick<Place, "storageClass">): readonly Manifest[] =>
  goldenImageManifests(goldenImageOf(options, place)) as Manifest[];
