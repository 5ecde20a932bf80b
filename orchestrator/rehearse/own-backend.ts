/** The bucket for a homelab's own states, where its object storage makes one, and its credentials in the lab. */
import * as path from "node:path";
import { z } from "zod";
import { projectRoot } from "../../common/paths";
import { storePath } from "../../common/vault-layout";
import { loadSecrets } from "../../secrets/load";
import { askProgram } from "../target/ask-program";
import { LAB_AGE_KEY, labSecrets } from "../target/lab-secrets";
import type { Program } from "../target/program";
import type { RehearsalLab } from "./rehearsal-lab";

/** As `homelab init` and the module `minio` name it. */
const BUCKET = "pulumi-state";

const valuesSchema = z.object({
  releases: z.array(z.looseObject({ values: z.looseObject({ buckets: z.array(z.looseObject({ name: z.string() })).optional() }) })),
});

/** Gives the bucket's credentials to the lab's commands. @returns its URL; undefined where the homelab makes no such bucket */
export async function ownBackend(lab: RehearsalLab, { routes = [] }: Pick<Program, "routes">): Promise<string | undefined> {
  const route = routes.find(({ owner, host }) => owner === "minio" && host.startsWith("s3."));
  if (route === undefined) return undefined;
  const { releases } = valuesSchema.parse(await askProgram("platform-values", JSON.stringify({ stack: route.stack, module: "minio" })));
  if (!releases.some(({ values }) => values.buckets?.some(({ name }) => name === BUCKET))) return undefined;
  const entry = storePath("MINIO");
  const root = await labSecrets(lab.dir);
  const keys = (await loadSecrets({ only: [entry], ageKeyFile: path.join(projectRoot(), LAB_AGE_KEY), ...(root === undefined ? {} : { root }) })).get(entry);
  lab.env = { AWS_ACCESS_KEY_ID: keys?.["rootUser"] ?? "", AWS_SECRET_ACCESS_KEY: keys?.["rootPassword"] ?? "" };
  return `s3://${BUCKET}/rehearsal?endpoint=https://${route.host}&region=main&s3ForcePathStyle=true`;
}
