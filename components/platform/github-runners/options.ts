import { z } from "zod";
import { storePath } from "../../../common/vault-layout";

const setName = z.string().regex(/^[a-z][a-z0-9-]{0,43}[a-z0-9]$/, "must be a name of 2 to 45 of a-z, 0-9 and -, as jobs name it in runs-on");
const quantity = (pattern: RegExp, example: string) => z.string().regex(pattern, `must be an amount such as ${example}`);

const runnerSet = z
  .strictObject({
    url: z.url({ protocol: /^https$/, error: "must be an https URL" }).describe("Organisation, repository or enterprise"),
    token: z.strictObject({ path: z.string(), key: z.string() }).default({ path: storePath("github_token"), key: "github_token" }),
    min: z.int().min(0).default(0),
    max: z.int().min(1).max(20).default(3),
    image: z
      .string()
      .regex(/[:@](?!latest$)[^:/@]+$/, "must have a tag or a digest, and not the tag latest")
      .default("ghcr.io/actions/actions-runner:2.330.0"),
    cpu: quantity(/^\d+(\.\d+)?m?$/, "500m").default("250m"),
    memory: quantity(/^\d+(Mi|Gi)$/, "512Mi").default("512Mi"),
    memoryLimit: quantity(/^\d+(Mi|Gi)$/, "2Gi").default("2Gi"),
  })
  .refine(({ min, max }) => min <= max, "must have at least as many runners at most as it has at least");

export const githubRunnersOptions = z.strictObject({
  sets: z
    .record(setName, runnerSet)
    .default({})
    .describe(
      "By the name that jobs give in `runs-on`: `url` of the organisation or repository, `path` and `key` of its `token` in secrets/, runners at least (`min`) and at most (`max`), their `image`, and what each requests. A runner takes one job and goes",
    ),
});

export type GithubRunnersOptions = z.output<typeof githubRunnersOptions>;
export type RunnerSet = GithubRunnersOptions["sets"][string];
