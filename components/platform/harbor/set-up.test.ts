/** The set-up of a Harbor, against the lab's. */
import type { Clock } from "../../../common/clock";
import { type HarborServer, startHarbor } from "../../../lab/harbor";
import { LabWorld } from "../../../tests/support/lab-world";
import { type HarborTask, setUpHarbor } from "./set-up";

const PASSWORD = "of admin";
const clock: Clock = { now: () => 0, sleep: async () => undefined };
let world: LabWorld;
let server: HarborServer;
beforeEach(async () => {
  world = await LabWorld.start();
  server = await startHarbor("tools/harbor", world.ctx, { password: () => PASSWORD });
});
afterEach(async () => {
  await server.stop();
  await world.stop();
});

const HUB = { name: "docker-hub", kind: "docker-hub", url: "https://hub.docker.com" };
const task = (more: Partial<HarborTask> = {}): HarborTask => ({
  address: `http://127.0.0.1:${server.port}`,
  password: PASSWORD,
  projects: [
    { name: "library", public: true, keep: 20 },
    { name: "hub", public: true, limit: "10Gi", proxyOf: HUB },
  ],
  robots: [{ name: "pipelines", projects: { library: "push" }, secret: "Abcdefg1" }],
  ...more,
});
const run = (more: Partial<HarborTask> = {}) => setUpHarbor(JSON.stringify(task(more)), clock);
const saved = () => server.save() as Record<string, Record<string, unknown>[]>;

test("projects, copies of a registry, what is kept, limits and accounts are made; a second run sets the secrets alone", async () => {
  expect(await run()).toEqual([
    "the retention of the project library",
    "the registry docker-hub",
    "the project hub",
    "the account pipelines",
    "the secret of the account pipelines",
  ]);
  expect(saved()["projects"]).toEqual([
    { id: 1, name: "library", public: "true", storage: -1, retention: 2 },
    { id: 4, name: "hub", public: "true", storage: 10 * 2 ** 30, registry: 3 },
  ]);
  expect(saved()["retentions"]).toMatchObject([{ project: 1, rules: [{ template: "latestPushedK", params: { latestPushedK: 20 } }] }]);
  expect(saved()["robots"]).toMatchObject([
    {
      name: "robot$pipelines",
      secret: "Abcdefg1",
      permissions: [
        {
          kind: "project",
          namespace: "library",
          access: [
            { resource: "repository", action: "pull" },
            { resource: "repository", action: "push" },
          ],
        },
      ],
    },
  ]);
  const before = saved();
  expect(await run()).toEqual(["the secret of the account pipelines"]);
  expect(saved()).toEqual(before);
  expect(world.ctx.unhandled.all()).toEqual([]);
});

test("what differs is brought to what is wanted; what nobody names stays", async () => {
  await run();
  const other = { name: "shop", public: false };
  await run({ projects: [other], robots: [] });
  expect(
    await run({
      projects: [
        { name: "library", public: false, keep: 5 },
        { name: "hub", public: true, limit: "20Gi", proxyOf: HUB },
      ],
      robots: [{ name: "pipelines", projects: { library: "pull" }, secret: "Abcdefg2" }],
    }),
  ).toEqual([
    "the project library",
    "the retention of the project library",
    "the limit of the project hub",
    "the account pipelines",
    "the secret of the account pipelines",
  ]);
  expect(saved()["projects"]?.map(({ name }) => name)).toEqual(["library", "hub", "shop"]);
  expect(saved()["robots"]).toMatchObject([{ secret: "Abcdefg2", permissions: [{ access: [{ action: "pull" }] }] }]);
});

test.each<[string, Partial<HarborTask>, RegExp, RegExp]>([
  [
    "another password of admin",
    { password: "another" },
    /the project library cannot be read: unauthorized$/,
    /^its user admin has another password than secrets\//,
  ],
  [
    "a secret that Harbor does not take",
    { robots: [{ name: "ci", projects: { library: "pull" }, secret: "short" }] },
    /the secret of the account ci cannot be changed: the secret must be 8-128/,
    /logs of its core/,
  ],
  [
    "an account for a project that is not there",
    { robots: [{ name: "ci", projects: { gone: "pull" }, secret: "Abcdefg1" }] },
    /the account ci cannot be made: project gone not found/,
    /logs of its core/,
  ],
])("%s is an error that says what to do", async (_, more, message, hint) => {
  await expect(run(more)).rejects.toMatchObject({ code: "E_HARBOR", message: expect.stringMatching(message), hint: expect.stringMatching(hint) });
});

test("a registry of another kind is not changed under its projects", async () => {
  await run();
  const projects = [{ name: "hub", public: true, proxyOf: { ...HUB, kind: "docker-registry" } }];
  await expect(run({ projects })).rejects.toThrow("the registry docker-hub of Harbor is of the kind docker-hub, and not docker-registry");
});
