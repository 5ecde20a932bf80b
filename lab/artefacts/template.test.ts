import { parseTemplate, renderTemplate } from "./template";

const render = (source: string, data: unknown): string => renderTemplate(parseTemplate(source, "t.yaml"), data, "t.yaml");

test.each([
  ["a {{ .x }} b", "a 1 b"],
  ["a {{- .x -}} b", "a1b"],
  ["{{/* nothing */}}{{ .none }}", ""],
  ["{{ if .none }}a{{ else if eq .x 1 }}b{{ else }}c{{ end }}", "b"],
  ["{{ range .list }}<{{ . }}{{ $.x }}>{{ end }}", "<p1><q1>"],
  ["{{ range .maps }}{{ .n }}{{ else }}empty{{ end }}", "79"],
  ["{{ range .none }}{{ . }}{{ else }}empty{{ end }}", "empty"],
  ["{{ with .map }}{{ .k }}{{ end }}", "v"],
  ['{{ .none | default "d" | quote }}', '"d"'],
  ["x: {{- toYaml .map | nindent 2 }}", "x:\n  k: v"],
  ["{{ and .x (not .none) (or .none .list) }}", '["p","q"]'],
])("%j → %j", (source, expected) => {
  expect(render(source, { x: 1, list: ["p", "q"], maps: [{ n: 7 }, { n: 9 }], map: { k: "v" } })).toBe(expected);
});

test.each([
  ['{{ include "x" . }}', "the lab's templates do not have include"],
  ["{{ $x := 1 }}", "the lab's templates do not have"],
  ["{{ lookup . }}", "the lab's templates do not have the function lookup"],
  ["{{ if .x }}", "the lab's templates do not have a block without end"],
  ["{{ .none.x }}", "nil pointer evaluating interface {}.x"],
])("%j is refused", (source, message) => {
  expect(() => render(source, { x: 1 })).toThrow(message);
});
