/** The lab's API takes each object, and holds it as it was given. */
import type { KubeObject } from "../../../lab/kubernetes";
import { inLabWorld, type LabWorld, type WorldCluster } from "../../../tests/support/lab-world";
import { PLACE } from "../../../tests/support/module-build";
import { kubevirtSessions } from "./module";
import { goldenImageObjects, reaperObjects } from "./values";

let world: LabWorld;
let dev: WorldCluster;
inLabWorld((made) => {
  ({ world, dev } = made);
});

test("the reaper and the Job of the golden image are made in the lab", async () => {
  const options = kubevirtSessions.options.parse(kubevirtSessions.example);
  for (const name of [options.namespace, options.goldenImage.namespace]) await dev.namespace(name);
  const objects = [...reaperObjects(options), ...goldenImageObjects(options, PLACE)];
  for (const object of objects) dev.create(structuredClone(object) as KubeObject);
  await world.settled();
  for (const { apiVersion, kind, metadata } of objects)
    expect([kind, dev.find(apiVersion, kind, metadata.namespace ?? "", metadata.name)?.metadata.labels]).toEqual([kind, metadata.labels]);
  const job = dev.find("batch/v1", "Job", options.goldenImage.namespace, "golden-1-33-0");
  expect(job?.["status"]).toMatchObject({ succeeded: 1 });
});
