import { z } from "zod";
import { exactImage } from "../../../common/exact-image";
import { storePath } from "../../../common/vault-layout";
import { cpuAmount, httpsAddress, memoryAmount } from "../option-types";

const setName = z.string().regex(/^[a-z][a-z0-9-]{0,43}[a-z0-9]$/, "must be a name of 2 to 45 of a-z, 0-9 and -, as jobs name it in runs-on");

const runnerSet = z
  .strictObject({
    url: httpsAddress
      .regex(/^https:\/\/[^/]+(\/[\w.-]+){1,2}$/, "must be https://github.com/ and an organisation, repository or enterprise")
      .describe("Organisation, repository or enterprise"),
    token: z.strictObject({ path: z.string(), key: z.string() }).default({ path: storePath("github_token"), key: "github_token" }),
    min: z.int().min(0).default(0),
    max: z.int().min(1).max(20).default(3),
    image: exactImage.default("ghcr.io/actions/actions-runner:2.330.0"),
    cpu: cpuAmount.default("250m"),
    memory: memoryAmount.default("512Mi"),
    memoryLimit: memoryAmount.default("2Gi"),
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
