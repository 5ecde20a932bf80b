/** `homelab init`: asks what a homelab is like, or takes flags, and writes its files. */
import { counted } from "../../common/counted";
import { ENV, readEnv } from "../../common/env";
import { HomelabError } from "../../common/errors";
import { projectRoot } from "../../common/paths";
import { quote } from "../../common/quote";
import { type Answers, answersOf, defaultOf, FLAGS, type Flag, type Given, type NodeAnswer, QUESTIONS } from "../../scaffold/answers";
import { type Initialised, initialise } from "../../scaffold/init";
import { readNodes } from "../../scaffold/proxmox";
import type { Arguments } from "../cli/command";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { readSecret } from "../secrets/secrets-input";

const TOKEN_ID = "homelab@pve!pulumi";

/** Asks each question that no flag has answered, until the answer is valid. */
async function askAll(session: Session, given: Given, skip: readonly Flag[]): Promise<Given> {
  const answers: Partial<Record<Flag, string>> = { ...given };
  for (const [flag, question] of QUESTIONS) {
    if (answers[flag] !== undefined || skip.includes(flag)) continue;
    for (;;) {
      const fallback = defaultOf(flag, answers);
      const line = await session.ask(`${question} [${fallback}]: `);
      if (line === undefined) throw new HomelabError("E_INTERRUPTED", "the questions were not answered; nothing was written");
      const tried = { ...answers, [flag]: line.trim() === "" ? fallback : line.trim() };
      try {
        answersOf(tried);
      } catch (thrown) {
        // The question is asked again, after what is wrong with the answer.
        if (!(thrown instanceof HomelabError) || thrown.code !== "E_USAGE") throw thrown;
        session.err(`${thrown.message}\n`);
        continue;
      }
      answers[flag] = tried[flag] ?? fallback;
      break;
    }
  }
  return answers;
}

interface FromProxmox {
  nodes: readonly NodeAnswer[];
  token: { id: string; secret: string };
}

async function fromProxmox(url: string, args: Arguments, session: Session): Promise<FromProxmox> {
  if (args.text("node") !== undefined) throw new HomelabError("E_USAGE", "--proxmox reads the nodes, and --node names them: take one of the two");
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== "https:")
    throw new HomelabError("E_USAGE", `--proxmox takes the URL of Proxmox's API, such as https://10.20.0.2:8006, not "${url}"`);
  const id = args.text("token-id") ?? TOKEN_ID;
  const secret =
    readEnv(ENV.proxmoxToken) ??
    (await readSecret(session, `the secret of the token ${id}`, `put it into ${ENV.proxmoxToken}, or run this at a terminal, which asks for it`)).trim();
  session.redactor.register(secret);
  return { nodes: await readNodes({ url: parsed.origin, tokenId: id, secret, verify: !args.flag("insecure") }), token: { id, secret } };
}

function closing({ files, keyFile, authority, toFill }: Initialised, { domain, nodes, stacks }: Answers): string {
  const env = `${ENV.ageKeyFile}=${quote(keyFile)}`;
  // Without `npx`, the shell finds it only after `npm link`.
  const own = "npx homelab";
  return [
    `${domain}: ${counted(stacks.length, "stack")} (${stacks.join(", ")}) on ${nodes.map(({ name, memoryMiB }) => `${name} (${Math.round(memoryMiB / 1024)} GiB)`).join(", ")}`,
    ...files.map((file) => `  ${file}`),
    "",
    `The key to the secrets is ${keyFile}, outside the checkout. Keep a copy in a safe place: without it nobody can read them.`,
    "",
    "Next:",
    `  ${own} lab start && ${own} preview --lab`,
    "      what would be built, in the lab, which gets no secret of yours",
    `  ${own} up --lab`,
    "      builds it there",
    'Then, for the real one (README.md, "Your own homelab", from step 3):',
    `  export ${env}`,
    ...toFill.map(({ file, key, what }) => `  ${own} secrets set ${file} ${key}\n      ${what}`),
    ...(authority === undefined ? [] : [`  make your devices trust ${authority}: it signs the certificates of all host names`]),
    "  edit site/ until it is yours: your own key in operatorKeys of site/site.ts,",
    "      the nodes in site/nodes.ts",
    "  export PULUMI_BACKEND_URL=… PULUMI_CONFIG_PASSPHRASE_FILE=…",
    "      where the state is kept, and the passphrase that encrypts its secrets",
    `  ${own} doctor && ${own} preview`,
    "      what is still missing, and what would be built",
    "",
  ].join("\n");
}

/** @throws HomelabError E_USAGE, E_EXISTS, and what Proxmox says */
export async function initSite(args: Arguments, session: Session): Promise<ExitCode> {
  const given: Given = Object.fromEntries(FLAGS.flatMap((flag) => (args.text(flag) === undefined ? [] : [[flag, args.text(flag)]])));
  const asks = session.terminal.asks && !args.flag("yes");
  if (!asks && !args.flag("yes"))
    throw new HomelabError("E_USAGE", "there is no terminal to ask at", { hint: "give what differs from the defaults by flags, and --yes for the rest" });
  const url = args.text("proxmox");
  const read = url === undefined ? undefined : await fromProxmox(url, args, session);
  const all = asks ? await askAll(session, given, read === undefined ? [] : ["node"]) : given;
  const answers = answersOf(all, read?.nodes);
  session.out(closing(await initialise(projectRoot(), answers, read?.token, new Date(session.clock.now())), answers));
  return EXIT.done;
}
