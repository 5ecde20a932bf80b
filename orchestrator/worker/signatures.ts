/** Values of a state or event that stand for something else: where one has this key, the key says what (sdk/go/common/resource/sig). */
export const SIGNATURE = "4dabf18193072939515e22adb298388d";

export const SIGNATURES = {
  secret: "1b47061264138c4ac30d75fd1eb44270",
  asset: "c44067f5952c0a294b673a41bacd8c17",
  archive: "0def7320c3a5731c473e5ecbe6d01bc7",
  resource: "5cf8f73096256a8f31e491e813e4eb8e",
} as const;

/** The engines' mark of a value that a preview does not know yet. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
