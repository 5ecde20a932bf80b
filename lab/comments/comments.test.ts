import { type CommentHosts, startCommentHosts } from ".";

let hosts: CommentHosts;
beforeEach(async () => {
  hosts = await startCommentHosts("owner/name", "7");
  for (const state of [hosts.github, hosts.gitlab]) state.accounts.set("token", { id: 1, login: "me", kind: "person", rights: "write" });
  for (const host of ["github", "gitlab"] as const) hosts.open(host, { number: 3, head: "abc", label: "owner:branch" });
});
afterEach(() => hosts.stop());

test.each([
  ["/repos/owner/name/pulls", "sort=updated"],
  ["/repos/owner/name/pulls", "base=other"],
  ["/repos/owner/name/issues/3/comments", "since=2026-01-01T00:00:00Z"],
  ["/api/v4/projects/7/merge_requests/3/notes", "order_by=updated_at"],
  ["/api/v4/projects/7/merge_requests/3/notes", "activity_filter=only_comments"],
])("%s?%s: a parameter that is not modelled is refused and noted", async (path, query) => {
  const ask = (search: string) => fetch(`${hosts.url}${path}${search}`, { headers: { authorization: "Bearer token" } });
  expect((await ask("?per_page=1")).status).toBe(200);
  expect(hosts.unhandled).toEqual([]);
  const refused = await ask(`?${query}`);
  expect([refused.status, await refused.text()]).toEqual([422, expect.stringContaining("is not modelled by the lab")]);
  expect(hosts.unhandled).toHaveLength(1);
});
