/** Runs from states that an earlier commit or a killed run left. What is asserted is what the outside world saw. */

import { LabState } from "../support/lab-state";
import { Rehearsal } from "../support/rehearsal";

jest.setTimeout(600_000);

let rehearsal: Rehearsal;
let state: LabState;
beforeAll(async () => {
  rehearsal = new Rehearsal();
  await rehearsal.startLab();
  state = new LabState(rehearsal, "tools");
  const { code, stdout } = await rehearsal.homelab("up", "tools", "--lab");
  expect([code, code === 0 ? "" : stdout]).toEqual([0, ""]);
}, 300_000);
afterAll(() => rehearsal.close(), 60_000);

const COMMAND = "pulumi:providers:command";

/** The state of tools as commits before the explicit provider of commands left it: all of them came from the default provider. */
async function withDefaultProvider(): Promise<number> {
  const exported = await state.read();
  const { resources } = exported.deployment;
  const explicit = resources.find(({ type }) => type === COMMAND);
  if (explicit?.id === undefined) throw new Error("the stack has no provider of commands");
  const before = { ...explicit, urn: `urn:pulumi:tools::homelab::${COMMAND}::default_1_2_1`, id: "d39462d7-9c5a-450e-8661-92b0f47f9eac" };
  delete before.parent;
  const [old, now] = [`${before.urn}::${before.id}`, `${explicit.urn}::${explicit.id}`];
  let moved = 0;
  for (const resource of resources) {
    if (resource.provider !== now) continue;
    resource.provider = old;
    moved++;
  }
  exported.deployment.resources = [before, ...resources.filter((resource) => resource !== explicit)];
  await state.write(exported);
  return moved;
}

test("commands of the default provider are given to the explicit one, and none runs again", async () => {
  expect(await withDefaultProvider()).toBeGreaterThan(10);
  const settled = await rehearsal.lastSeq();
  const preview = await rehearsal.homelab("preview", "tools", "--lab", "--plain");
  expect(preview.stdout).toContain(`[tools] ${COMMAND} command to create\n`);
  expect(preview.stdout).toMatch(/^tools +succeeded +1 +0 +0 +0 /m);
  const up = await rehearsal.homelab("up", "tools", "--lab", "--plain");
  expect(up.stdout).toMatch(/^tools +succeeded +1 +0 +0 +0 /m);
  expect(await rehearsal.writes(settled)).toEqual([]);
  const providers = (await state.resources()).filter(({ type }) => type.startsWith("command:")).map(({ provider }) => provider?.split("::")[3]);
  expect(new Set(providers)).toEqual(new Set(["command"]));
});
