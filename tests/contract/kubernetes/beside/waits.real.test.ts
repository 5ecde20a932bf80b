/** What counts as ready, and what ends a wait: by our Kubernetes provider and by the official one. */
import { describeReal } from "../../../support/real-parts";
import { BESIDE_PARTS, Bench } from "./bench";
import { WAIT_CASES } from "./wait-cases";

describeReal(BESIDE_PARTS, "beside the official Kubernetes provider: waits", (pathOf) => {
  let bench: Bench;
  let outcomes: Map<string, Promise<string[]>>;
  beforeAll(async () => {
    bench = await Bench.start(pathOf);
    // All at once: most of a case is waiting.
    outcomes = bench.compareAll(WAIT_CASES);
  });
  afterAll(() => bench.stop());

  test.each(WAIT_CASES)("$title", async ({ title }) => {
    expect(await outcomes.get(title)).toEqual([]);
  });
});
