/** SeaweedFS's S3 as its chart sets it up: a Secret has the users and their rights, and a Job makes the buckets. */
import { z } from "zod";
import type { KubeObject } from "../kubernetes";
import { listAt, textAt } from "../kubernetes/objects";
import type { S3Server, WantedBucket } from "../s3";
import { decode64, type Kube } from "./kube";

const configSchema = z.object({
  identities: z.array(
    z.object({ name: z.string(), credentials: z.array(z.object({ accessKey: z.string(), secretKey: z.string() })), actions: z.array(z.string()) }),
  ),
});

/** The actions of S3 that each action of SeaweedFS stands for. */
const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  Read: ["s3:GetObject", "s3:GetBucketLocation"],
  List: ["s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:ListMultipartUploadParts"],
  Write: ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
  Tagging: [],
};

type Users = Parameters<S3Server["makeUsers"]>[0];

/** The root user's keys, and the other users by access key. */
export function usersOfSeaweedfs(kube: Kube, pod: KubeObject): { root: { accessKey: string; secretKey: string }; users: Users } {
  const names = listAt(pod, "spec", "volumes").flatMap((volume) => textAt(volume, "secret", "secretName") ?? []);
  const texts = names.map((name) => textAt(kube.find("v1", "Secret", pod.metadata.namespace, name), "data", "seaweedfs_s3_config") ?? "");
  const { identities } = configSchema.parse(JSON.parse(decode64(texts.find((text) => text !== "") ?? "") || '{"identities":[]}'));
  const [root] = identities.filter(({ actions }) => actions.includes("Admin")).flatMap(({ credentials }) => credentials);
  const users = identities
    .filter(({ actions }) => !actions.includes("Admin"))
    .flatMap(({ credentials, actions }) =>
      credentials.map(({ accessKey, secretKey }): [string, Users[string]] => [
        accessKey,
        {
          secretKey,
          statements: actions.flatMap((action) => {
            const [what = "", bucket = ""] = action.split(":");
            return [{ resources: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`], actions: [...(ACTIONS[what] ?? [])] }];
          }),
        },
      ]),
    );
  return { root: root ?? { accessKey: "", secretKey: "" }, users: Object.fromEntries(users) };
}

/** What the Job's script makes, and the Service that it speaks to; undefined: it is no such Job. */
export function bucketsOfSeaweedfs(pod: KubeObject): { service: string; buckets: WantedBucket[] } | undefined {
  const [container] = listAt(pod, "spec", "containers");
  const script = (container?.["command"] as string[] | undefined)?.at(-1) ?? "";
  if (!script.includes("weed shell")) return undefined;
  const versioned = new Set([...script.matchAll(/s3\.bucket\.versioning -name (\S+) -enable/g)].map(([, name = ""]) => name));
  const buckets = [...script.matchAll(/s3\.bucket\.create --name (\S+?)"/g)].map(([, name = ""]) => ({ name, versioning: versioned.has(name) }));
  return { service: String(listAt(container, "env").find(({ name }) => name === "SEAWEEDFS_S3")?.["value"] ?? ""), buckets };
}
