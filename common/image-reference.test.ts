import { isLatest, parseReference } from "./image-reference";
import cases from "./image-reference-cases.json";

interface Accepted {
  readonly text: string;
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}

/** What the grammar of the containers' tools takes and ours does not, on purpose. */
const STRICTER: readonly (readonly [why: string, is: (image: Accepted) => boolean])[] = [
  ["a short form, without the registry", ({ text, registry }) => !text.startsWith(`${registry}/`) && !text.startsWith(`index.${registry}/`)],
  ["neither tag nor digest", ({ tag, digest }) => tag === undefined && digest === undefined],
  ["capitals in the registry, which names no other host", ({ registry }) => /[A-Z]/.test(registry)],
  ["a registry that is an IPv6 address", ({ registry }) => registry.startsWith("[")],
  ["a port that there is not", ({ registry }) => ((port) => port !== undefined && (/^0/.test(port) || Number(port) > 65_535))(registry.split(":")[1])],
  ["a digest by another algorithm than the registries'", ({ digest }) => digest !== undefined && !digest.startsWith("sha256:")],
  ["a name of more than 255 characters with its registry", ({ registry, repository }) => `${registry}/${repository}`.length > 255],
];

test("an image is read as the containers' tools read it, and one that they refuse is refused", () => {
  expect(cases.refused.filter((text) => parseReference(text) !== undefined)).toEqual([]);
  expect([cases.refused.length, cases.accepted.length]).toEqual([297, 103]);
  for (const image of cases.accepted as readonly Accepted[]) {
    const { text, registry, repository, tag, digest } = image;
    const stricter = STRICTER.some(([, is]) => is(image));
    expect([text, parseReference(text)]).toEqual([text, stricter ? undefined : { registry, repository, tag, digest }]);
  }
  const unused = STRICTER.filter(([, is]) => !(cases.accepted as readonly Accepted[]).some(is)).map(([why]) => why);
  expect(unused).toEqual([]);
});

test("latest is latest in any letters, with a digest too", () => {
  const of = (text: string) => isLatest(parseReference(text) ?? { tag: undefined });
  expect(["r.org/a:latest", "r.org/a:Latest", `r.org/a:latest@sha256:${"0".repeat(64)}`, "r.org/a:latest-1", "r.org/latest:1"].map(of)).toEqual([
    ...[true, true, true],
    ...[false, false],
  ]);
});
