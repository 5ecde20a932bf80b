import * as crypto from "node:crypto";
import { quote } from "../../common/quote";
import { type Operation, secretVariable } from "../role";

export interface Ownership {
  /** Octal, as `chmod` takes it: `0644`. */
  mode: string;
  /** `user:group`, both by name or both by number. Default `root:root`. */
  owner?: string;
}

const sha256 = (text: string): string => crypto.createHash("sha256").update(text).digest("hex");

/** `stat` prints modes without the leading zero. */
const statOf = ({ mode, owner = "root:root" }: Ownership): string => `${mode.replace(/^0+(?=\d)/, "")} ${owner}`;

const ownershipCheck = (path: string, ownership: Ownership): string => `hl_is_owned ${quote(path)} ${quote(statOf(ownership))}`;

const ownershipApply = (path: string, { mode, owner = "root:root" }: Ownership): string[] => [
  `chmod ${quote(mode)} ${quote(path)}`,
  `chown ${quote(owner)} ${quote(path)}`,
];

export function directory(path: string, ownership: Ownership): Operation {
  return {
    name: `directory ${path}`,
    check: [`{ [ -d ${quote(path)} ] || hl_say ${quote(`${path} is missing`)}; }`, ownershipCheck(path, ownership)],
    apply: [`mkdir -p ${quote(path)}`, ...ownershipApply(path, ownership)],
  };
}

/** Name of a file while it is written: in the same folder, so that the last step is one rename. */
const partOf = (path: string): string => `${path}.homelab-part`;
/** Where {@link FileArgs.backup} keeps the previous version. */
export const backupOf = (path: string): string => `${path}.homelab-backup`;

/**
 * Text, or one of the role's secrets. A secret is written as it is (`plain`), escaped for a double-quoted string of JSON or YAML (`json`),
 * or escaped for double quotes of systemd and haproxy (`quoted`), which expand `$` but, unlike a shell, no backtick.
 */
export type ContentPart = string | { secret: string; as?: "plain" | "json" | "quoted" };

export interface FileArgs extends Ownership {
  path: string;
  content: ContentPart | readonly ContentPart[];
  /** A command that accepts the new file before it takes the old one's place. @param path of the new file, quoted */
  validate?: (path: string) => string;
  /** Keep the previous version beside the file. Default false. */
  backup?: boolean;
}

function printContent(parts: readonly ContentPart[]): string {
  const words = parts.map((part) => {
    if (typeof part === "string") return quote(part);
    const value = `"$${secretVariable(part.secret)}"`;
    if (part.as === undefined || part.as === "plain") return value;
    return part.as === "json" ? `"$(hl_json ${value})"` : `"$(hl_quoted ${value})"`;
  });
  return `printf '%s' ${words.length === 0 ? "''" : words.join(" ")}`;
}

/** A file with exactly this content. It is replaced by one rename: nobody reads half of it, and an interrupted run leaves the old one. */
export function file(args: FileArgs): Operation {
  const path = quote(args.path);
  const part = quote(partOf(args.path));
  const parts: readonly ContentPart[] = Array.isArray(args.content) ? (args.content as readonly ContentPart[]) : [args.content as ContentPart];
  const content = `hl_content_${sha256(args.path).slice(0, 12)}`;
  const texts = parts.filter((piece) => typeof piece === "string");
  const isPlain = texts.length === parts.length;
  // Only what everybody may read is shown as a difference.
  const shown = isPlain && /[4-7]$/.test(args.mode) ? `hl_diff ${path} ${content}` : "false";
  const expected = isPlain ? sha256(texts.join("")) : `"$(${content} | sha256sum | cut -d ' ' -f 1)"`;
  const drop = (command: string) => `{ ${command} || { rm -f ${part}; false; }; }`;
  return {
    name: `file ${args.path}`,
    functions: { [content]: printContent(parts) },
    check: [
      `hl_is_file ${path}`,
      ownershipCheck(args.path, args),
      isPlain ? `{ hl_sha256 ${path} ${expected} || ${shown}; }` : `hl_sha256 ${path} ${expected} 2>/dev/null`,
    ],
    // Created empty and given its permissions before the content is written, so that nobody else can read the content meanwhile.
    apply: [
      `rm -f ${part}`,
      `: > ${part}`,
      ...ownershipApply(partOf(args.path), args),
      // `cat` says why it cannot write; the `printf` of dash does not.
      drop(`${content} | cat > ${part}`),
      ...(args.validate === undefined ? [] : [drop(args.validate(part))]),
      ...(args.backup === true ? [`{ [ ! -f ${path} ] || cp -p ${path} ${quote(backupOf(args.path))}; }`] : []),
      `mv -f ${part} ${path}`,
    ],
  };
}

/** No file or link at this path. A folder there is not removed: the operation fails. */
export function absent(path: string): Operation {
  const target = quote(path);
  const gone = `[ ! -e ${target} ] && [ ! -L ${target} ]`;
  return { name: `no ${path}`, check: [`{ { ${gone}; } || hl_say ${quote(`${path} is there`)}; }`], apply: [`rm -f ${target}`] };
}

export interface LineArgs {
  path: string;
  /** The whole line, without its end. */
  line: string;
  /** Other lines that this one takes the place of, as an extended regular expression. */
  replaces?: string;
}

/** One line in a file that others write too; the file must be there. Its mode and owner stay. */
export function line(args: LineArgs): Operation {
  const path = quote(args.path);
  const part = quote(partOf(args.path));
  const kept = args.replaces === undefined ? `awk 1 ${path}` : `awk -v skip=${quote(args.replaces.replaceAll("\\", "\\\\"))} '$0 !~ skip' ${path}`;
  const others =
    args.replaces === undefined
      ? []
      : [
          `{ [ "$(awk -v skip=${quote(args.replaces.replaceAll("\\", "\\\\"))} '$0 ~ skip' ${path})" = ${quote(args.line)} ] || hl_say ${quote(`${args.path} has other lines that match ${args.replaces}`)}; }`,
        ];
  return {
    name: `line ${args.line} in ${args.path}`,
    check: [`{ grep -qxF -e ${quote(args.line)} ${path} || hl_say ${quote(`${args.path} does not have the line`)}; }`, ...others],
    apply: [
      `rm -f ${part}`,
      `cp -p ${path} ${part}`,
      `{ { ${kept} && printf '%s\\n' ${quote(args.line)}; } > ${part} || { rm -f ${part}; false; }; }`,
      `mv -f ${part} ${path}`,
    ],
  };
}
