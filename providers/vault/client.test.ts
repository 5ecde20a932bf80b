import type { HttpClient } from "../../common/http";
import { VaultClient } from "./client";

/** A client of a Vault that gives these answers, one for each call. */
function clientOf(answers: [number, object][]): { client: VaultClient; calls: string[] } {
  const calls: string[] = [];
  const http: HttpClient = {
    request: async ({ method, url }) => {
      calls.push(`${method} ${url}`);
      const [status, body] = answers.shift() ?? [500, { errors: ["one call too many"] }];
      return { status, headers: {}, body: JSON.stringify(body) };
    },
    stream: () => Promise.reject(new Error("not used")),
    close: async () => undefined,
  };
  const clock = { now: () => 0, sleep: async () => undefined };
  return { client: new VaultClient({ address: "http://vault", token: "t", maxRetries: 0, http, clock }), calls };
}

const options = () => ({ signal: new AbortController().signal });
const moving = (status: string): [number, object] => [200, { data: { migration_id: "m", migration_info: { status } } }];

test("a move is waited for", async () => {
  const { client, calls } = clientOf([[200, { data: { migration_id: "m" } }], moving("in-progress"), moving("success")]);
  await client.move("a", "b", options());
  expect(calls).toEqual(["POST http://vault/v1/sys/remount", ...Array(2).fill("GET http://vault/v1/sys/remount/status/m")]);
});

test.each<[string, [number, object]]>([
  ["failure", moving("failure")],
  ["nothing is known of it", [404, { errors: [] }]],
])("a move that ends in %s is told", async (said, answer) => {
  const { client } = clientOf([[200, { data: { migration_id: "m" } }], answer]);
  await expect(client.move("a", "b", options())).rejects.toMatchObject({ code: "E_VAULT_MOVE", message: `Vault: a was not moved to b: ${said}` });
});
