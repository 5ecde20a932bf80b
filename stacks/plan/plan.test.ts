/** Rows of the matrix that contradict each other. */
import { ANOTHER_SITE, anotherEstate } from "../../tests/support/another-site";
import type { Stack } from "../define/stacks";
import { planEstate } from "./plan";

const { core, play } = ANOTHER_SITE.stacks;
const { hello } = play.apps;

const failure = (stacks: Record<string, Stack>): unknown => {
  try {
    planEstate(anotherEstate({ ...ANOTHER_SITE, stacks }));
  } catch (thrown) {
    return thrown;
  }
  return undefined;
};

test("the rows as they are can be planned", () => expect(failure({ core, play })).toBeUndefined());

test.each([
  [
    "templates of a stack that is not needed",
    { core, play: { ...play, needs: [] } },
    "E_STACK_NEEDS",
    'site/stacks.ts: "core" prepares the Proxmox nodes, and the stack "play" does not need it',
  ],
  ["no stack that prepares the nodes", { core: { ...core, proxmox: undefined }, play }, "E_STACK_NEEDS", "site/stacks.ts: no stack prepares the Proxmox nodes"],
  [
    "two stacks that prepare them",
    { core, play: { ...play, proxmox: true } },
    "E_STACK_NEEDS",
    'site/stacks.ts: the stacks "core" and "play" both prepare the Proxmox nodes',
  ],
  [
    "two Vaults",
    { core, play: { ...play, platform: { ...play.platform, vault: {} } } },
    "E_STACK_NEEDS",
    'site/stacks.ts: the stacks "core" and "play" both have the module vault',
  ],
  ["a circle", { core: { ...core, needs: ["play"] }, play }, "E_STACK_CYCLE", "site/stacks.ts: the stacks need each other in a circle: core → play → core"],
  ["a host name twice", { core: { ...core, apps: { hello } }, play }, "E_HOST_NAME", "the host name hello.example.org is served twice: by core and by play"],
  [
    "a host name without certificates",
    { core, play: { ...play, platform: { ...play.platform, "cert-manager": undefined } } },
    "E_PLATFORM",
    "play: hello: the host name hello.example.org has no certificate; add cert-manager",
  ],
  [
    "the image of an application that the needed stack does not have",
    { core, play: { ...play, apps: { hello: { ...hello, image: { from: "core", image: "hello" } } } } },
    "E_UPSTREAM_UNDECLARED",
    'site/stacks.ts: play: hello takes core.images.hello, and "core" has no such application',
  ],
  [
    "an output of a stack that is not needed",
    { core, play: { ...play, apps: { hello: { ...hello, environment: { A: { from: "prod", output: "greeting" } } } } } },
    "E_UPSTREAM_UNDECLARED",
    'site/stacks.ts: play: hello takes prod.greeting, and play does not need "prod"',
  ],
  [
    "a URL of a port without a host",
    { core, play: { ...play, apps: { hello: { ...hello, ports: [{ name: "http", port: 80, url: "hello" }], outputs: {} } } } },
    "E_APP",
    "site/stacks.ts: play: the port http of hello has a URL and no host",
  ],
  [
    "an image that the settings do not name",
    { core, play: { ...play, apps: { hello: { ...hello, image: { setting: "appImage" } } } } },
    "E_CONFIG_VALUE",
    "Pulumi.play.yaml: homelab:appImage is missing",
  ],
] as [string, Record<string, Stack>, string, string | RegExp][])("%s is refused", (_, stacks, code, message) => {
  const thrown = failure(stacks);
  expect(thrown).toMatchObject({ code, message: typeof message === "string" ? message : expect.stringMatching(message) });
});
