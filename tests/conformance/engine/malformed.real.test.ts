/** A program sends malformed URNs and provider references: both engines answer in the same words, and the run goes on. */
import { EMBEDDED } from "../../support/real-cli";
import { describeReal } from "../../support/real-parts";
import { CaseRun } from "./recorded-case";

/** @returns how an update ended, and what each request was answered */
async function answers(pulumi: string): Promise<{ status: number; said: unknown }> {
  const run = new CaseRun(pulumi, "malformed");
  try {
    await run.init();
    const { status, stderr } = await run.call(["up", "--stack", "dev", "--yes", "--skip-preview"]);
    const outputs = await run.call(["stack", "output", "--json", "--stack", "dev"]);
    // The CLI names functions of its own before some.
    return { status, said: status === 0 ? JSON.parse(outputs.stdout.replaceAll(/(Invoke: )?getProviderFromSource: /g, "")).said : stderr };
  } finally {
    run.close();
  }
}

describeReal(["pulumi"], "what is no URN, in one engine and the other", (pathOf) => {
  test("each request is answered, in the CLI's words", async () => {
    const [cli, embedded] = await Promise.all([answers(pathOf("pulumi")), answers(EMBEDDED)]);
    expect(cli).toMatchObject({ status: 0, said: { parent: '3: invalid parent URN: invalid URN "a"' } });
    expect(embedded).toEqual(cli);
  });
});
