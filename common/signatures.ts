/**
 * Marks of property values that stand for something else, as engines, programs and providers write them in states, events and on
 * the wire. Source: engine-contract, section D; sdk/go/common/resource/sig and plugin/rpc.go of Pulumi.
 */

/** Where a map has this key, the key says what the map stands for. */
export const SIGNATURE_KEY = "4dabf18193072939515e22adb298388d";

export const SIGNATURE = {
  secret: "1b47061264138c4ac30d75fd1eb44270",
  output: "d0e6a833031e9bbcd3f4e8bde6ca49a4",
  resource: "5cf8f73096256a8f31e491e813e4eb8e",
  asset: "c44067f5952c0a294b673a41bacd8c17",
  archive: "0def7320c3a5731c473e5ecbe6d01bc7",
  /** A number that JSON has no form for: `value` has the bits of the double in hex. In states and events only, never on the wire. */
  number: "8ad145fe-0d11-4827-bfd7-1abcbf086f5c",
} as const;

/** The mark that we write for a value that a preview does not know yet. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** All that are read: an unknown text, truth value, number, list, file, archive and map each have one of their own. */
export const UNKNOWNS: ReadonlySet<unknown> = new Set([
  UNKNOWN,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);
