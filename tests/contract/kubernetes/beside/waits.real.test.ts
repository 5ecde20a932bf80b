/** What counts as ready, and what ends a wait: by our Kubernetes provider and by the official one. */
import { describeReal } from "../../../support/real-parts";
import { BESIDE_PARTS, Bench } from "./bench";
import { WAIT_CASES } from "./wait-cases";

const TITLE = "beside the official Kubernetes provider: waits";

function waits(pathOf: Parameters<Parameters<typeof describeReal>[2]>[0]): void {
  let bench: Bench;
  let outcomes: Map<string, Promise<string[]>>;
  beforeAll(async () => {
    bench = await Bench.start("waits", pathOf);
    // All at once: most of a case is waiting.
    outcomes = bench.compareAll(WAIT_CASES);
  });
  afterAll(() => bench.stop());

  test.each(WAIT_CASES)("$title", async ({ title }) => {
    expect(await outcomes.get(title)).toEqual([]);
  });

  test("each known difference is one still", () => {
    expect(bench.stale(WAIT_CASES.length)).toEqual([]);
  });
}

// In one of four runs on a busy machine ours did not see that a claim is bound, within its limit; by itself it does, 60 times of 60. A failure
// tells the reason now. And the official provider takes five minutes for the claim that is pending, whatever its limit. So it is asked for by name.
if (process.env["HOMELAB_TEST_LIVE_WAITS"] === "1") describeReal(BESIDE_PARTS, TITLE, waits);
else
  describe(TITLE, () => {
    test.skip("every state [skipped: asked for by HOMELAB_TEST_LIVE_WAITS=1, as make nightly does]", () => undefined);
  });
