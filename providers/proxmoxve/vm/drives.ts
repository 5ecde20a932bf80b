/** The drives of a VM share the places of four buses: which input has which place. */
import type { CheckFailure } from "../../sdk/resource";
import { isValues, type Value, type Values } from "../../sdk/values";

/** Where the provider puts the cloud-init drive of a VM that has none and names no interface. */
export const CLOUD_INIT_PLACE = "ide2";
const CD_PLACE = "ide3";

const textOf = (value: Value | undefined): string => (typeof value === "string" ? value : "");

/** Inputs and the place of each, in the order in which people write them. An unknown input has no place. */
function places(inputs: Values): { property: string; what: string; place: string }[] {
  const { disks, cdrom, initialization } = inputs;
  const listed = (Array.isArray(disks) ? disks : []).map((disk, i) => ({
    property: `disks[${i}].interface`,
    what: `disk ${i}`,
    place: isValues(disk) ? textOf(disk["interface"]) : "",
  }));
  const placeOf = (block: Values, otherwise: string): string => {
    const given = block["interface"];
    return given === undefined || given === "" ? otherwise : textOf(given);
  };
  return [
    ...listed,
    ...(isValues(cdrom) ? [{ property: "cdrom.interface", what: "the CD drive", place: placeOf(cdrom, CD_PLACE) }] : []),
    ...(isValues(initialization)
      ? [{ property: "initialization.interface", what: "the cloud-init drive", place: placeOf(initialization, CLOUD_INIT_PLACE) }]
      : []),
  ].filter(({ place }) => place !== "");
}

/** Two drives in one place: Proxmox would keep the one that is set last, and say nothing. */
export function sharedInterfaces(inputs: Values): CheckFailure[] {
  const first = new Map<string, string>();
  return places(inputs).flatMap(({ property, what, place }) => {
    const other = first.get(place);
    if (other === undefined) first.set(place, what);
    return other === undefined ? [] : [{ property, reason: `${what} and ${other} are both at ${place}: give one of them another interface` }];
  });
}
