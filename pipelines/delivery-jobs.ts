/** The jobs that change the homelab, from a new image to what runs. */
import type { Job } from "./model";
import { CHILD_OF, CLEAN, checkout, HOMELAB_MAIN, INSTALL, NODE, ON_OUR_RUNNER, onHomelab, PLAN, UP } from "./steps";

/** The environment's approval agrees to changes of production, but not to the loss of anything. */
const RUN_UP = "npx --no-install homelab up --plain --plan plan/plan.json --yes --approve production --report up/report.json";

export const DELIVERY_JOBS: readonly Job[] = [
  {
    name: "deploy",
    title: "Moves an application's image to a stage and pushes that to main, which delivers it",
    on: ["called"],
    calledWith: "DEPLOY_APP",
    timeoutMinutes: 30,
    permissions: { contents: "read" },
    runner: "hosted",
    depth: 0,
    outside: true,
    // One environment for each stage: that of production asks for its approval.
    environment: { github: "${{ inputs.stage }}", gitlab: "deploy/$DEPLOY_TO" },
    secrets: { gitlab: ["GITLAB_TOKEN"] },
    // On GitLab the caller sets the variables DEPLOY_… itself.
    env: {
      DEPLOY_APP: "${{ inputs.app-name }}",
      DEPLOY_TO: "${{ inputs.stage }}",
      DEPLOY_IMAGE: "${{ inputs.image }}",
      DEPLOY_FROM: "${{ inputs.from }}",
      DEPLOY_BACK: "${{ inputs.back }}",
      GITHUB_TOKEN: "${{ secrets.homelab-token }}",
    },
    prepare: [checkout({ ...HOMELAB_MAIN, "fetch-depth": 0 }), NODE],
    steps: [INSTALL, { run: "npm run deploy" }],
  },
  {
    name: "delivered",
    title: "Waits until the homelab's own pipeline has delivered what was pushed of a stage",
    on: ["called"],
    calledWith: "DELIVERED_TO",
    // It waits for approvals too.
    timeoutMinutes: 350,
    permissions: { contents: "read" },
    runner: "hosted",
    depth: 0,
    outside: true,
    environment: { gitlab: "delivered" },
    secrets: { gitlab: ["GITLAB_TOKEN"] },
    // On GitLab the caller sets the two variables DELIVERED_… itself.
    env: {
      DELIVERED_TO: "${{ inputs.stage }}",
      DELIVERED_WITHIN: "${{ inputs.minutes }}",
      HOMELAB_REPOSITORY: "${{ inputs.homelab }}",
      GITHUB_TOKEN: "${{ secrets.homelab-token }}",
    },
    prepare: [checkout({ ...HOMELAB_MAIN, "fetch-depth": 0 }), NODE],
    steps: [
      INSTALL,
      {
        run: {
          github: 'npx --no-install homelab delivered "$DELIVERED_TO" --github --minutes "$DELIVERED_WITHIN"',
          gitlab: 'npx --no-install homelab delivered "$DELIVERED_TO" --gitlab --minutes "$DELIVERED_WITHIN"',
        },
      },
    ],
  },
  {
    name: PLAN,
    title: "What main would change on the real homelab, for the approval of up",
    on: ["main"],
    timeoutMinutes: 60,
    ...onHomelab(PLAN),
    prepare: ON_OUR_RUNNER,
    artefacts: { name: PLAN, paths: ["plan/plan.json", "plan/report.json", "plan/summary.md"], child: CHILD_OF.plan },
    steps: [
      CLEAN,
      INSTALL,
      { run: "npx --no-install homelab doctor" },
      {
        run: {
          github: 'npx --no-install homelab preview --plain --plan plan/plan.json --report plan/report.json --markdown "$GITHUB_STEP_SUMMARY"',
          gitlab: "npx --no-install homelab preview --plain --plan plan/plan.json --report plan/report.json --markdown plan/summary.md",
        },
      },
      {
        run: { github: "npm run plan:outputs -- plan/report.json", gitlab: `npm run plan:outputs -- plan/report.json --pipeline ${CHILD_OF.plan}` },
        id: PLAN,
      },
    ],
  },
  {
    name: UP,
    title: "Does what the plan says, after an approval, or refuses where it would be something else now",
    on: ["main"],
    timeoutMinutes: 120,
    ...onHomelab("prod"),
    needs: [PLAN],
    prepare: [...ON_OUR_RUNNER, { uses: "actions/download-artifact", with: { name: PLAN, path: PLAN } }],
    artefacts: { name: "up", paths: ["up/report.json", "up/summary.md"] },
    steps: [
      { run: "make clean-reports REPORTS=up" },
      INSTALL,
      {
        run: {
          github: `${RUN_UP} --markdown "$GITHUB_STEP_SUMMARY"`,
          gitlab: `${RUN_UP} --markdown up/summary.md`,
        },
      },
    ],
  },
  {
    name: "rollout",
    title: "Waits until the applications whose images are new run them",
    on: ["main"],
    timeoutMinutes: 50,
    // It only reads, as the plan does, and so has the plan's environment.
    ...onHomelab(PLAN),
    needs: [UP],
    // The commits say since when an image is in the settings.
    depth: 0,
    prepare: [checkout({ clean: false, "fetch-depth": 0 }), NODE],
    steps: [CLEAN, INSTALL, { run: "npx --no-install homelab apps --newer-than 24 --rollout 30" }],
  },
];
