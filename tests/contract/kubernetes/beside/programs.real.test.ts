/** Compares the SDK's YAML components with our Kubernetes provider and with the official one: the run, its state and the objects. */
import { describeReal } from "../../../support/real-parts";
import { BESIDE_PARTS, Bench } from "./bench";
import { PROGRAM_CASES } from "./program-cases";

const LIMIT_MS = 10 * 60_000;

describeReal([...BESIDE_PARTS, "kube-controller-manager"], "beside the official Kubernetes provider: programs", (pathOf) => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await Bench.start("programs", pathOf, { controllerManager: pathOf("kube-controller-manager") });
  });
  afterAll(() => bench?.stop());

  test.each(PROGRAM_CASES)(
    "$title",
    async ({ title, run }) => {
      expect(await bench.compare(title, run)).toEqual([]);
    },
    LIMIT_MS,
  );

  test("each listed difference still exists", () => {
    expect(bench.stale(PROGRAM_CASES.length)).toEqual([]);
  });
});
