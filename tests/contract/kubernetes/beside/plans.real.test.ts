/** Compares our Kubernetes provider with the official one: inputs that a program may give, and who owns which field. */
import { describeReal } from "../../../support/real-parts";
import { BESIDE_PARTS, Bench } from "./bench";
import { OTHER_CASES } from "./other-cases";
import { OWNER_CASES } from "./owner-cases";
import { PLAN_CASES } from "./plan-cases";
import { SETTING_CASES } from "./setting-cases";

const CASES = [...PLAN_CASES, ...OWNER_CASES, ...SETTING_CASES, ...OTHER_CASES];

describeReal(BESIDE_PARTS, "beside the official Kubernetes provider: plans and owners", (pathOf) => {
  let bench: Bench;
  let outcomes: Map<string, Promise<string[]>>;
  beforeAll(async () => {
    bench = await Bench.start("plans", pathOf);
    // All at once: the official provider looks for a missing object for a minute.
    outcomes = bench.compareAll(CASES);
  });
  afterAll(() => bench.stop());

  test.each(CASES)("$title", async ({ title }) => {
    expect(await outcomes.get(title)).toEqual([]);
  });

  test("each listed difference still exists", () => {
    expect(bench.stale(CASES.length)).toEqual([]);
  });
});
