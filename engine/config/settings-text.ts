/** The text of a settings file and its values. A change of one value leaves the rest of the text as it is. */
import { isDeepStrictEqual } from "node:util";
import { parseDocument } from "yaml";
import { CliError } from "../errors";
import { NotFinite } from "./plain-scalar";
import { pairText, parseSettings, readNode, splicedText } from "./settings-splice";
import { type ConfigValue, isMap, isSecureLeaf } from "./value-path";

type Path = readonly (string | number)[];

interface Edit {
  path: Path;
  value: ConfigValue | undefined;
}

/** The smallest edits that turn one value into another. */
function editsBetween(before: ConfigValue | undefined, after: ConfigValue | undefined, path: Path): Edit[] {
  if (isDeepStrictEqual(before, after)) return [];
  const whole = [{ path, value: after }];
  if (isMap(before) && isMap(after) && !isSecureLeaf(before) && !isSecureLeaf(after) && Object.keys(after).length > 0) {
    const gone = Object.keys(before).filter((key) => !Object.hasOwn(after, key));
    if (gone.length === Object.keys(before).length) return whole;
    // Removals may come first: keys of a map do not shift, as indices of a list would.
    return [
      ...gone.map((key) => ({ path: [...path, key], value: undefined })),
      ...Object.entries(after).flatMap(([key, value]) => editsBetween(before[key], value, [...path, key])),
    ];
  }
  if (!Array.isArray(before) || !Array.isArray(after) || before.length === 0 || after.length === 0) return whole;
  if (after.length >= before.length) return after.flatMap((value, at) => editsBetween(before[at], value, [...path, at]));
  const at = before.findIndex((item, i) => !isDeepStrictEqual(item, after[i]));
  const isOneLess = isDeepStrictEqual(before.toSpliced(at, 1), after);
  return isOneLess ? [{ path: [...path, at], value: undefined }] : whole;
}

function changed(value: ConfigValue | undefined, [part, ...rest]: Path, next: ConfigValue | undefined): ConfigValue | undefined {
  if (part === undefined) return next;
  if (Array.isArray(value) && typeof part === "number") {
    const inner = changed(value[part], rest, next);
    return inner === undefined ? value.toSpliced(part, 1) : value.toSpliced(part, 1, inner);
  }
  const { [String(part)]: old, ...others } = isMap(value) ? value : {};
  const inner = changed(old, rest, next);
  return inner === undefined ? others : { ...(isMap(value) ? value : {}), [String(part)]: inner };
}

export class SettingsText {
  #value: ConfigValue | undefined;

  /** @throws CliError that names the file, for what is no YAML */
  constructor(
    private content: string,
    private readonly file: string,
  ) {
    this.#value = this.#read(content);
  }

  #read(text: string): ConfigValue | undefined {
    const document = parseSettings(text);
    const [problem] = document.errors;
    if (problem !== undefined) throw new CliError(`${this.file} is not valid YAML: ${problem.message}`);
    try {
      return document.contents === null ? undefined : (readNode(document.contents, document) ?? undefined);
    } catch (thrown) {
      if (thrown instanceof NotFinite) throw new CliError(`${this.file}: ${thrown.message} is no value that a setting can have`);
      throw thrown;
    }
  }

  get text(): string {
    return this.content;
  }

  get value(): ConfigValue | undefined {
    return this.#value;
  }

  /** @param value undefined removes what is there */
  set(path: Path, value: ConfigValue | undefined): void {
    for (const edit of editsBetween(at(this.#value, path), value, path)) this.#edit(edit);
  }

  #edit({ path, value }: Edit): void {
    const wanted = changed(this.#value, path, value);
    const spliced = splicedText(this.content, path, value);
    // The spliced text is read back. Where the splice did not understand the layout, the file is laid out anew.
    if (spliced !== undefined && this.#reads(spliced, wanted)) this.content = spliced;
    else this.content = relaid(this.content, path, value);
    this.#value = this.#read(this.content);
  }

  #reads(text: string, wanted: ConfigValue | undefined): boolean {
    if (parseSettings(text).errors.length > 0) return false;
    const read = this.#read(text);
    const nothing = (one: ConfigValue | undefined): boolean => one === undefined || (isMap(one) && Object.keys(one).length === 0);
    return isDeepStrictEqual(read, wanted) || (nothing(read) && nothing(wanted));
  }
}

const at = (value: ConfigValue | undefined, path: Path): ConfigValue | undefined =>
  path.reduce<ConfigValue | undefined>(
    (inner, part) => (isMap(inner) ? inner[String(part)] : Array.isArray(inner) && typeof part === "number" ? inner[part] : undefined),
    value,
  );

/** Writes the file in the library's own layout. Scalars keep their spelling, since this schema reads all of them as text. */
function relaid(text: string, path: Path, value: ConfigValue | undefined): string {
  const document = parseDocument(text, { schema: "failsafe" });
  if (value === undefined) document.deleteIn(path);
  else document.setIn(path, (parseDocument(pairText("value", value), { schema: "failsafe" }) as ReturnType<typeof parseDocument>).get("value", true));
  return document.toString({ lineWidth: 0 });
}
