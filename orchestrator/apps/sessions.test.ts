/** Who makes the reaper and the golden image: the command, or a stack with the module. */
import type { Arguments } from "../cli/command";
import type { Session } from "../cli/session";
import { StackGraph } from "../target/graph";

const stacks = [
  { name: "dev", needs: [], modules: [] },
  { name: "sandboxy", needs: [], modules: [{ name: "kubevirt-sessions", entries: [] }] },
];
jest.doMock("../target/program", () => ({
  listStacks: () => Promise.resolve({ stacks, graph: new StackGraph(stacks.map(({ name }) => ({ name, needs: [] }) as never)) }),
}));

async function printed(verb: string, flags: Readonly<Record<string, string>>): Promise<string> {
  const { sessions } = await import("./sessions");
  let out = "";
  const args = { words: [], text: (flag: string) => flags[flag] } as unknown as Arguments;
  await sessions(args, { rawOut: (text: string) => (out += text) } as unknown as Session, verb);
  return out;
}

test.each(["reaper", "golden-image"])("the %s of a stack with the module is left to that stack, by name", async (verb) => {
  const refused = {
    code: "E_SESSION",
    message: `the ${verb} belongs to the module kubevirt-sessions of the stack sandboxy, which makes it`,
    hint: expect.stringContaining("homelab up sandboxy"),
  };
  await expect(printed(verb, {})).rejects.toMatchObject(refused);
  await expect(printed(verb, { stack: "sandboxy" })).rejects.toMatchObject(refused);
  await expect(printed(verb, { stack: "nowhere" })).rejects.toMatchObject({ code: "E_STACK_UNKNOWN" });
});

test("for the cluster of a stack without the module, it is printed", async () => {
  expect(await printed("reaper", { stack: "dev" })).toContain("kind: CronJob");
});
