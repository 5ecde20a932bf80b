import { defineModule } from "../module";
import { sharedGrant } from "../namespace-grants";
import { entryPath } from "../place";
import { sharedSecretsOptions } from "./options";
import { flatKeys, sharedEntries } from "./values";

export const sharedSecrets = defineModule({
  name: "shared-secrets",
  summary: "one Secret with many entries in every namespace that is labelled cluster-secrets=true, for what still needs it",
  options: sharedSecretsOptions,
  parts: (options, place) => {
    const entries = sharedEntries(options, place);
    // Two entries with a key of one name are found here, before anything is built.
    flatKeys(entries);
    return {
      needs: ["external-secrets", "cluster-access"],
      grants: [sharedGrant([...entries.keys()].map((path) => entryPath(place, path)))],
    };
  },
  build: () => (require("./shared-secrets") as typeof import("./shared-secrets")).buildSharedSecrets,
});
