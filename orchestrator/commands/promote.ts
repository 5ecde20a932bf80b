import { defineCommand } from "../cli/command";
import { APPROVE, YES } from "../cli/flags";

export const command = defineCommand({
  group: "run",
  summary: "moves the image of an application from one stage to the next, by its digest",
  notes:
    "Asks the registry for the digest of the image that the stage before runs, runs that stage's tests (verify in site/stacks.ts, at most 30 minutes), asks for a yes, and writes homelab:images in Pulumi.<stack>.yaml. It deploys nothing. The first stage gets its image by --image, with the digest that the build printed. --back takes the image that the file's commits had before this one. For production it asks for the homelab's name to be typed, and a script needs --approve production; elsewhere a script needs --yes. With --pull-request it writes nothing into the checkout. It pushes a branch with one commit on top of main, which has the settings and the manifests that `homelab render` makes of them, and opens a pull request; the same command finds the one that it opened before. This needs HOMELAB_REPOSITORY (in a job GITHUB_REPOSITORY does) and GITHUB_TOKEN, or CI_PROJECT_ID and GITLAB_TOKEN, and a checkout at main's head. Whoever merges it approves it, also for production.",
  words: [{ name: "app", help: "the application" }],
  flags: [
    { name: "from", value: "STACK", help: "the stage whose image is taken" },
    { name: "to", value: "STACK", help: "needed: the stage that gets it" },
    { name: "image", value: "IMAGE", help: "instead of --from, for the first stage: <repository>@sha256:…, or <repository>:<tag>@sha256:…" },
    { name: "back", help: "instead of --from: take the image that was there before" },
    { name: "pull-request", value: "HOST", help: "open a pull request at github or gitlab, instead of writing the file" },
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
