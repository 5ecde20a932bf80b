import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { inspect } from "node:util";
import { HomelabError } from "../../common/errors";
import { clusterOf, readKubeconfig } from "./kubeconfig";

const kubeconfig = (user: object, cluster: object = {}): string =>
  JSON.stringify({
    clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:6443", ...cluster } }],
    users: [{ name: "u", user }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  });

const refusal = (text: string): HomelabError => {
  try {
    readKubeconfig(text);
  } catch (thrown) {
    if (thrown instanceof HomelabError) return thrown;
    throw thrown;
  }
  throw new Error("it was read");
};

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-kubeconfig-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const CERTAIN = "hvs-hunter2";
test.each([
  ["YAML that is cut", `users:\n- user: {token: ${CERTAIN}\n`, "is not valid YAML at line 3"],
  ["a tab", `users:\n\t- token: ${CERTAIN}\n`, "is not valid YAML at line 2"],
  ["an alias to nothing", `users: *${CERTAIN}\nclusters: []\n`, "is not valid YAML"],
  ["JSON that is cut", `{"users":[{"token":"${CERTAIN}`, "is not valid YAML at line 1"],
  ["base64 of one", Buffer.from(`${kubeconfig({ token: CERTAIN })} `.repeat(2)).toString("base64"), "is neither a path nor the text of one"],
  ["a list", `- ${CERTAIN}\n- b\n`, "is no kubeconfig"],
  ["a page", `<html>\n${CERTAIN}</html>\n`, "is no kubeconfig"],
  ["nothing", "\n", "is no kubeconfig"],
  ["fields of the wrong type", `users: ${CERTAIN}\nclusters: []\ncontexts: []\n`, "is malformed at users"],
  ["no such context", `${kubeconfig({ token: CERTAIN }).replace('"current-context":"x"', '"current-context":"y"')}\n`, "has no context y"],
])("refuses %s, and quotes nothing of it", (_what, text, message) => {
  const error = refusal(text);
  expect([error.code, error.message]).toEqual(["E_KUBECONFIG", expect.stringContaining(message)]);
  expect(inspect(error)).not.toContain(CERTAIN);
  expect(inspect(error)).not.toContain(Buffer.from(CERTAIN).toString("base64").slice(0, 8));
  expect(clusterOf(text)).toBeUndefined();
});

test("files that it names are looked for beside it, as kubectl does", () => {
  fs.writeFileSync(path.join(folder, "token"), "t-1\n");
  fs.writeFileSync(path.join(folder, "ca.crt"), "ca");
  const file = path.join(folder, "config");
  fs.writeFileSync(file, kubeconfig({ tokenFile: "token" }, { "certificate-authority": "./ca.crt" }));
  expect(readKubeconfig(file)).toMatchObject({ token: "t-1", ca: "ca" });
});

test("a token's file goes before a token, as in client-go", () => {
  fs.writeFileSync(path.join(folder, "token"), "from the file\n");
  expect(readKubeconfig(kubeconfig({ token: "old", tokenFile: path.join(folder, "token") })).token).toBe("from the file");
});

test.each([
  ["user", "client-key", kubeconfig({ "client-key": "/nowhere/key" })],
  ["user", "tokenFile", kubeconfig({ tokenFile: "/nowhere/token" })],
  ["cluster", "certificate-authority", kubeconfig({}, { "certificate-authority": "/nowhere/ca" })],
])("a file that is missing is named: %s %s", (_what, key, text) => {
  expect(refusal(text)).toMatchObject({ code: "E_KUBECONFIG", message: expect.stringMatching(new RegExp(`${key}: /nowhere/\\w+ cannot be read`)) });
});
