import { systemClock } from "../../common/clock";
import { createRecords } from "./records";
import { LAB_SYSTEMS } from "./world";

test("what any system wrote is kept and read again by the next lab", async () => {
  const records = createRecords(systemClock);
  for (const system of LAB_SYSTEMS) records.add({ system, target: "it", kind: "write", action: "made", detail: { n: 1 } });
  const next = createRecords(systemClock);
  await next.restore(JSON.parse(JSON.stringify(records.save())));
  expect(next.since().map(({ system }) => system)).toEqual([...LAB_SYSTEMS]);
});
