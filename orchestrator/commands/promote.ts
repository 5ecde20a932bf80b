import { defineCommand } from "../cli/command";
import { APPROVE, YES } from "../cli/flags";

export const command = defineCommand({
  group: "run",
  summary: "moves the image of an application from one stage to the next, by its digest",
  notes:
    "Asks the registry for the digest of what the stage before runs, runs that stage's tests (verify in site/stacks.ts), asks, and writes homelab:images in Pulumi.<stack>.yaml: one file, as a whole. Nothing is deployed by it. The first stage gets an image by --image, with the digest that the build says. --back takes the image that was there before this one, by the file's commits. Production wants --approve production. With --pull-request nothing is written here: a branch of one commit above main, with the settings and what `homelab render` writes of them, and a request for it; the same command finds what it opened before. It needs HOMELAB_REPOSITORY (in a job GITHUB_REPOSITORY does) and GITHUB_TOKEN, or CI_PROJECT_ID and GITLAB_TOKEN, and a checkout at main's head; who merges it approves, in production too.",
  words: [{ name: "app", help: "the application" }],
  flags: [
    { name: "from", value: "STACK", help: "the stage whose image is taken" },
    { name: "to", value: "STACK", help: "the stage that gets it" },
    { name: "image", value: "IMAGE", help: "in the place of --from, for the first stage: <repository>@sha256:…, or <repository>:<tag>@sha256:…" },
    { name: "back", help: "in the place of --from: the image that was there before" },
    { name: "pull-request", value: "HOST", help: "open a pull request at github or gitlab, in the place of writing the file" },
    YES,
    APPROVE,
  ],
  examples: [
    "homelab promote writer --from dev --to stg",
    "homelab promote writer --from stg --to prod --approve production",
    "homelab promote writer --to dev --image registry.example.org/library/writer@sha256:<digest>",
    "homelab promote writer --to prod --back",
    "homelab promote writer --from stg --to prod --pull-request github --yes",
  ],
  run: async (args, session) => (await import("../apps/promote")).promote(args, session),
});
