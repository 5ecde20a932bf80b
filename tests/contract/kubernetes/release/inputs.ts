/** The inputs of a release: each is used or refused by name. */
import * as fs from "node:fs";
import { specOf } from "../../../../providers/kubernetes/helm/release-inputs";
import { Secret, toJsonObject, type Values } from "../../../../providers/sdk/values";
import { RELEASE, type ReleaseBench, release } from "./bench";

export function releaseInputs(bench: ReleaseBench): void {
  describe("inputs", () => {
    test("every input of the SDK's release is honoured or refused by name; none is dropped", async () => {
      const source = fs.readFileSync(require.resolve("@pulumi/kubernetes/helm/v3/release.js"), "utf8");
      const names = [...new Set([...source.matchAll(/resourceInputs\["(\w+)"\]/g)].map(([, name]) => name ?? ""))].filter((name) => name !== "status");
      expect(names.length).toBeGreaterThan(30);
      const texts = ["chart", "name", "namespace", "version", "description", "keyring", "postrender", "compat"];
      const sample = (name: string): Values[string] => {
        if (texts.includes(name)) return "true";
        if (["timeout", "maxHistory"].includes(name)) return 3;
        return ["values", "repositoryOpts", "manifest", "resourceNames"].includes(name) ? { repo: "x" } : name === "valueYamlFiles" ? ["x"] : true;
      };
      const refused: string[] = [];
      for (const name of names) {
        const news = { chart: "c", name: "r", namespace: "n", values: { gone: null }, [name]: sample(name) };
        const { inputs, failures } = await bench.plugin.check(RELEASE, news);
        if (failures.length > 0) {
          expect(failures).toEqual([expect.stringMatching(new RegExp(`^${name}: the embedded provider does not have it \\(.+\\); the official plugin has$`))]);
          refused.push(name);
        } else if (name !== "compat") {
          // An input that is used changes the specification of the release.
          const [without, withIt] = [specOf({ chart: "c", name: "r", namespace: "n" }, "d"), specOf(toJsonObject(inputs), "d")];
          expect([name, JSON.stringify(withIt)]).not.toEqual([name, JSON.stringify(without)]);
        }
      }
      expect(refused.sort()).toEqual(["disableCRDHooks", "lint", "manifest", "postrender", "recreatePods", "replace", "resourceNames", "valueYamlFiles"]);
    });

    test.each([
      [{ atommic: true }, "atommic: the embedded provider does not support this property: did you mean `atomic`?"],
      [{ repositoryOpts: { pasword: "x" } }, "repositoryOpts.pasword: the embedded provider does not support this property: did you mean `password`?"],
      [{ disableWebHooks: true }, "disableWebHooks: the embedded provider does not support this property: did you mean `disableWebhooks`?"],
      [
        { repositoryOpts: { repo: "https://r", userName: "u" } },
        "repositoryOpts.userName: the embedded provider does not support this property: did you mean `username`?",
      ],
      [{ maxHistory: "ten" }, "maxHistory: Invalid input: expected number, received string"],
    ] as [Values, string][])("%j is an error that names it", async (given, failure) => {
      expect((await bench.plugin.check(RELEASE, release("r", given))).failures).toEqual([failure]);
    });

    test("the repository's password is secret whatever the program said", async () => {
      const { inputs } = await bench.plugin.check(RELEASE, release("r", { repositoryOpts: { repo: "https://r", username: "u", password: "p" } }));
      expect((inputs["repositoryOpts"] as Values)["password"]).toEqual(new Secret("p"));
    });
  });
}
