/** Compares releases by our Kubernetes provider, which runs Helm's executable, and by the official one, which has Helm built in. */
import * as path from "node:path";
import { describeReal } from "../../../support/real-parts";
import { BESIDE_PARTS, Bench } from "./bench";
import { RELEASE_CASES } from "./release-cases";

const LIMIT_MS = 10 * 60_000;

describeReal([...BESIDE_PARTS, "helm"], "beside the official Kubernetes provider: releases", (pathOf) => {
  const path0 = process.env["PATH"];
  let bench: Bench;
  let outcomes: Map<string, Promise<string[]>>;
  beforeAll(async () => {
    process.env["PATH"] = [path.dirname(pathOf("helm")), path0].join(path.delimiter);
    bench = await Bench.start("releases", pathOf);
    outcomes = bench.compareAll(RELEASE_CASES);
  });
  afterAll(async () => {
    process.env["PATH"] = path0;
    await bench?.stop();
  });

  test.each(RELEASE_CASES)(
    "$title",
    async ({ title }) => {
      expect(await outcomes.get(title)).toEqual([]);
    },
    LIMIT_MS,
  );

  test("each listed difference still exists", () => {
    expect(bench.stale(RELEASE_CASES.length)).toEqual([]);
  });
});
