/** Every type that the program and the platform use, by our Kubernetes provider and by the official one. */
import { describeReal } from "../../../support/real-parts";
import { DRIFT_CASES, GADGET } from "../drift-cases";
import { BESIDE_PARTS, Bench } from "./bench";
import { typeLife } from "./type-cases";

describeReal(BESIDE_PARTS, "beside the official Kubernetes provider: types", (pathOf) => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await Bench.start("types", pathOf);
    const definition = JSON.parse(JSON.stringify(GADGET).replaceAll("x_kubernetes_preserve_unknown_fields", "x-kubernetes-preserve-unknown-fields")) as unknown;
    await bench.api.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition);
  });
  afterAll(() => bench.stop());

  test.each(DRIFT_CASES)("$type", async (drift) => {
    expect(await bench.compare(drift.type, (side) => typeLife(drift, side))).toEqual([]);
  });

  test("each listed difference still exists", () => {
    expect(bench.stale(DRIFT_CASES.length)).toEqual([]);
  });
});
