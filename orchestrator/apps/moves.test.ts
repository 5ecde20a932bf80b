/** Promotions that the stacks themselves rule out. They are refused before a registry is asked or anything is written. */
import type { HomelabError } from "../../common/errors";
import type { StackApps } from "./app-facts";
import { moveOf, wantedOf } from "./moves";

const DIGEST = `sha256:${"2".repeat(64)}`;
const app = (name: string, movable = true) => ({ name, image: `registry.example/library/${name}:1.0.0`, movable, delivery: "pulumi" as const, hosts: [] });
const stack = (name: string, needs: string[], apps: StackApps["apps"]): StackApps => ({ name, needs, production: false, apps });
const STACKS = [
  stack("dev", [], [app("writer")]),
  stack("stg", ["dev"], [app("writer")]),
  stack("prod", ["stg"], [app("writer")]),
  stack("sandboxy", [], [app("whoami", false)]),
];

test.each<[string, string, Parameters<typeof wantedOf>[1], string, string]>([
  ["backwards", "writer", { from: "prod", to: "stg" }, "E_PROMOTION", "stg is no stage after prod"],
  ["to the same stage", "writer", { from: "stg", to: "stg" }, "E_PROMOTION", "which are the same"],
  ["of an application that there is not", "writr", { from: "dev", to: "stg" }, "E_APP_UNKNOWN", 'dev has no application "writr": did you mean "writer"?'],
  ["from a stage that there is not", "writer", { from: "dve", to: "stg" }, "E_STACK_UNKNOWN", 'there is no stack "dve"'],
  [
    "back, of an image that is written in site/apps",
    "whoami",
    { to: "sandboxy", back: true },
    "E_PROMOTION",
    "whoami does not take its image from the settings of sandboxy",
  ],
  ["without a stage that it comes from", "writer", { to: "stg" }, "E_USAGE", "needs --to, and one of --from, --image and --back"],
  ["without a stage that it goes to", "writer", { from: "dev" }, "E_USAGE", "needs --to, and one of"],
  ["from two places", "writer", { to: "stg", from: "dev", back: true }, "E_USAGE", "needs --to, and one of"],
  ["by image and back", "writer", { to: "dev", image: "a.example/b@sha256:0", back: true }, "E_USAGE", "needs --to, and one of"],
  [
    "of an image to a stage that is not the first",
    "writer",
    { to: "stg", image: `registry.example/library/writer@${DIGEST}` },
    "E_PROMOTION",
    "stg is not the first stage",
  ],
  ["of an image without a digest", "writer", { to: "dev", image: "registry.example/library/writer:1.1.0" }, "E_PROMOTION", "has no digest"],
  ["of an image that is none", "writer", { to: "dev", image: "writer" }, "E_IMAGE", "is no exact image"],
  ["of a digest that is cut", "writer", { to: "dev", image: "registry.example/library/writer@sha256:2222" }, "E_IMAGE", "is no exact image"],
  ["of another application's image", "writer", { to: "dev", image: `registry.example/library/memorizer@${DIGEST}` }, "E_PROMOTION", "is not of"],
  ["of another registry's image", "writer", { to: "dev", image: `else.example/library/writer@${DIGEST}` }, "E_PROMOTION", "is not of"],
  [
    "of an image for what is written in site/apps",
    "whoami",
    { to: "sandboxy", image: `registry.example/library/whoami@${DIGEST}` },
    "E_PROMOTION",
    "whoami does not take its image from the settings of sandboxy",
  ],
])("a promotion is refused %s", async (_, name, flags, code, message) => {
  const refused: HomelabError = await (async () => moveOf(STACKS, name, wantedOf(name, flags)))().then(
    ({ next }) => Promise.reject(new Error(`${next} was to go there`)),
    (thrown) => thrown,
  );
  expect([refused.code, `${refused.message}: ${refused.hint}`]).toEqual([code, expect.stringContaining(message)]);
});
