/** Where a secret comes from: a prompt that does not show it, or standard input. Never an argument, which others can list. */
import { HomelabError } from "../../common/errors";
import type { Session } from "../cli/session";

const MAX_CHARACTERS = 512 * 1024;
const [CTRL_C, CTRL_D, BACKSPACE, DELETE] = ["\u0003", "\u0004", "\b", "\u007f"];

async function readAll(): Promise<string> {
  process.stdin.setEncoding("utf8");
  let text = "";
  for await (const chunk of process.stdin) {
    text += String(chunk);
    if (text.length > MAX_CHARACTERS)
      throw new HomelabError("E_USAGE", "the value on standard input is larger than 512 KiB", { hint: "no secret is that long" });
  }
  return text;
}

/** One line, typed or pasted, that is not shown. */
function readHidden(): Promise<string> {
  const { stdin } = process;
  return new Promise((resolve, reject) => {
    let text = "";
    const finish = (): void => {
      stdin.setRawMode(false);
      stdin.pause();
      stdin.off("data", take);
    };
    const take = (chunk: string): void => {
      for (const character of chunk) {
        if (character === CTRL_C) {
          finish();
          reject(new HomelabError("E_INTERRUPTED", "interrupted; nothing was written"));
          return;
        }
        if (character === "\r" || character === "\n" || character === CTRL_D) {
          finish();
          resolve(text);
          return;
        }
        text = character === BACKSPACE || character === DELETE ? text.slice(0, -1) : text + character;
      }
    };
    stdin.setEncoding("utf8");
    stdin.setRawMode(true);
    stdin.resume();
    stdin.on("data", take);
  });
}

/**
 * A value for a key. One line end, which `echo` adds, is removed.
 * @param hint how the value is given where there is no terminal
 * @throws HomelabError E_USAGE for an empty one
 */
export async function readSecret(session: Session, key: string, hint: string): Promise<string> {
  let text: string;
  if (process.stdin.isTTY) {
    session.err(`value of ${key} (not shown): `);
    text = await readHidden();
    session.err("\n");
  } else text = await readAll();
  const value = text.replace(/\r?\n$/, "");
  if (value === "") throw new HomelabError("E_USAGE", `no value for ${key}: standard input is empty`, { hint });
  session.redactor.register(value);
  return value;
}
