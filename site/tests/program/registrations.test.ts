/**
 * The programs register what the fixtures have: a refactoring must not change what is deployed. For a change on purpose,
 * `HOMELAB_TEST_RECORD_REGISTRATIONS=1 npx jest site/tests/program/registrations` writes the fixtures anew, and their difference in the
 * commit shows it. A URN that changes needs an alias: without one the engine deletes the resource and creates another one.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { type Registrations, registrationsOf } from "../../../tests/support/registrations";
import { ownRuns } from "../../../tests/support/stack-run";

const runs = ownRuns();
const FIXTURES = path.join(__dirname, "fixtures");
const RECORD = process.env["HOMELAB_TEST_RECORD_REGISTRATIONS"] === "1";

/** One resource a line: small, and a difference shows what changed. */
function textOf({ resources, outputs }: Registrations): string {
  const lines = Object.entries(resources).map(([urn, resource]) => `${JSON.stringify(urn)}:${JSON.stringify(resource)}`);
  return `{"outputs":${JSON.stringify(outputs)},"resources":{\n${lines.join(",\n")}\n}}\n`;
}

test.each(runs.names)("the program of %s registers what is recorded of it", async (stack) => {
  const file = path.join(FIXTURES, `${stack}.json`);
  const registrations = await registrationsOf(runs, stack, { preview: false });
  if (RECORD) fs.writeFileSync(file, textOf(registrations));
  const recorded: Registrations = JSON.parse(fs.readFileSync(file, "utf8"));
  expect(Object.keys(registrations.resources)).toEqual(Object.keys(recorded.resources));
  for (const [urn, resource] of Object.entries(recorded.resources)) expect([urn, registrations.resources[urn]]).toEqual([urn, resource]);
  expect(registrations.outputs).toEqual(recorded.outputs);
});
