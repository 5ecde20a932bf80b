import { z } from "zod";
import { exactImage } from "../../../common/exact-image";
import { storePath } from "../../../common/vault-layout";
import { cpuAmount, httpsAddress, memoryAmount } from "../option-types";

export const gitlabRunnerOptions = z.strictObject({
  url: httpsAddress.default("https://gitlab.com").describe("GitLab that it takes jobs of"),
  token: z
    .strictObject({ path: z.string(), key: z.string() })
    .default({ path: storePath("GITLAB_TOKEN"), key: "GITLAB_TOKEN" })
    .describe("`path` and `key` of the runner's authentication token (`glrt-…`) in secrets/. Tags, and who may use it, are set where the token was made"),
  concurrent: z.int().min(1).max(20).default(4).describe("Jobs that run at once; the others wait"),
  image: exactImage.default("docker.io/library/alpine:3.22.1").describe("Image of jobs that name none"),
  cpu: cpuAmount.default("200m").describe("CPU that a job's container requests"),
  memory: memoryAmount.default("512Mi").describe("Memory that a job's container requests"),
  memoryLimit: memoryAmount.default("2Gi").describe("Memory limit of a job's container"),
});

export type GitlabRunnerOptions = z.output<typeof gitlabRunnerOptions>;
