/** Installs the kinds of a controller in a real Kubernetes API. */
import * as fs from "node:fs";
import * as path from "node:path";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import type { RealKubernetes } from "./real-kubernetes";

const crdSchema = z.looseObject({
  kind: z.literal("CustomResourceDefinition"),
  metadata: z.looseObject({ name: z.string() }),
  /** Null for a moment after the creation. */
  status: z.looseObject({ conditions: z.array(z.looseObject({ type: z.string(), status: z.string() })).nullish() }).nullish(),
});

const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const APPLY = "application/apply-patch+yaml";
const ESTABLISHED_LIMIT_MS = 60_000;

/** The definitions in a YAML file, or in the files of a folder. */
function definitions(file: string): z.infer<typeof crdSchema>[] {
  const files = fs.statSync(file).isDirectory() ? fs.readdirSync(file).map((name) => path.join(file, name)) : [file];
  const documents = files.filter((name) => /\.ya?ml$/.test(name)).flatMap((name) => parseAllDocuments(fs.readFileSync(name, "utf8")));
  return documents.flatMap((document) => {
    const parsed = crdSchema.safeParse(document.toJS());
    return parsed.success ? [parsed.data] : [];
  });
}

/** Adds kinds to the API, and waits until it serves them. @param file of a part: {@link realPartFile} */
export async function addKinds(cluster: RealKubernetes, file: string): Promise<void> {
  const wanted = definitions(file);
  if (wanted.length === 0) throw new Error(`${file} holds no CustomResourceDefinition`);
  for (const { status: _, ...crd } of wanted) {
    await cluster.call("PATCH", `${CRDS}/${crd.metadata.name}?fieldManager=kinds&force=true`, crd, { contentType: APPLY });
  }
  for (const { metadata } of wanted) {
    for (const deadline = Date.now() + ESTABLISHED_LIMIT_MS; ; ) {
      const { status } = crdSchema.parse(await cluster.call("GET", `${CRDS}/${metadata.name}`));
      if (status?.conditions?.some(({ type, status: is }) => type === "Established" && is === "True")) break;
      if (Date.now() > deadline) throw new Error(`the API does not serve ${metadata.name} yet`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
