import { loadEstate } from "./load/estate";
import { takenFromElsewhere } from "./platform-charts";

test("every chart of every stack with the values that it gets, and how it is upgraded", () => {
  const { charts, images } = takenFromElsewhere(loadEstate());
  expect(new Set(charts.map(({ stack }) => stack)).size).toBeGreaterThan(1);
  for (const { repository, version, kubeVersion, credentials } of charts) {
    expect(repository).toMatch(/^(https|oci):\/\//);
    expect(version).toMatch(/^v?\d+\.\d+\.\d+/);
    expect(kubeVersion).toMatch(/^v1\.\d+\./);
    expect(credentials).toEqual([]);
  }
  for (const { image } of images) expect(image).not.toMatch(/:latest$/);
});

test("one stack alone, and one that is not there", () => {
  const estate = loadEstate();
  const [first] = estate.stacks;
  expect(new Set(takenFromElsewhere(estate, first?.name).charts.map(({ stack }) => stack))).toEqual(new Set([first?.name]));
  expect(() => takenFromElsewhere(estate, "nowhere")).toThrow(/nowhere/);
});
