import { HomelabError } from "../../common/errors";
import { quote } from "../../common/quote";
import type { Operation } from "../role";
import { file } from "./files";

export interface AptRepositoryArgs {
  /** Names its two files. */
  name: string;
  uri: string;
  /** `noble`, or `/` for a flat repository. */
  suite: string;
  components?: readonly string[];
  key: {
    url: string;
    /** All 40 digits. The key's file changes when its expiry does; its fingerprint does not. */
    fingerprint: string;
  };
}

const KEYRINGS = "/etc/apt/keyrings";

/** A package source whose key is known by its fingerprint and counts for this source alone. */
export function aptRepository(args: AptRepositoryArgs): Operation[] {
  if (!/^[0-9A-F]{40}$/.test(args.key.fingerprint) || !args.key.url.startsWith("https://"))
    throw new HomelabError("E_ROLE_ARGS", `package source ${args.name}: its key needs an https address and a fingerprint of 40 capital hexadecimal digits`);
  const path = `${KEYRINGS}/${args.name}.asc`;
  const part = quote(`${path}.homelab-part`);
  const isKey = (name: string) => `hl_is_key ${name} ${args.key.fingerprint}`;
  return [
    {
      name: `key of package source ${args.name}`,
      functions: {
        hl_is_key: `hl_keys=$(gpg --batch --show-keys --with-colons "$1" 2>/dev/null | awk -F : '$1 == "pub" { wanted = 1 } $1 == "fpr" && wanted { print $10; wanted = 0 }')
  [ "$hl_keys" = "$2" ] || hl_say "$1 is not the key $2 alone"`,
      },
      check: [`hl_is_file ${quote(path)}`, `hl_is_owned ${quote(path)} '644 root:root'`, isKey(quote(path))],
      apply: [
        `mkdir -p ${KEYRINGS}`,
        `rm -f ${part}`,
        `{ curl -fsSL --retry 3 --connect-timeout 20 -o ${part} ${quote(args.key.url)} || { rm -f ${part}; false; }; }`,
        `{ ${isKey(part)} || { rm -f ${part}; false; }; }`,
        `chmod 0644 ${part}`,
        `mv -f ${part} ${quote(path)}`,
      ],
    },
    file({
      path: `/etc/apt/sources.list.d/${args.name}.sources`,
      mode: "0644",
      content: `Types: deb\nURIs: ${args.uri}\nSuites: ${args.suite}\n${args.components === undefined ? "" : `Components: ${args.components.join(" ")}\n`}Signed-By: ${path}\n`,
    }),
  ];
}
