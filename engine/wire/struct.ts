import * as protobuf from "google-protobuf";
import { Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import { makeStructQuick } from "../../common/quick-struct";
import type { PropertyMap } from "./values";

makeStructQuick(Struct, protobuf);

/** A message field as a property map; an absent one is empty. */
export function fromStruct(struct: Struct | undefined): PropertyMap {
  return (struct?.toJavaScript() ?? {}) as PropertyMap;
}

export function toStruct(map: PropertyMap): Struct {
  return Struct.fromJavaScript(map);
}
