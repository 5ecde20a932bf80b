/** SeaweedFS as its module sets it up, run in the lab: buckets, users that reach their own, and what is refused. */
import { GetBucketVersioningCommand, ListBucketsCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { CONFIG_KEY, CONFIG_SECRET, s3Config, seaweedfsValues } from "../../components/platform/seaweedfs/values";
import { inLabWorld, type LabWorld, type WorldCluster } from "../../tests/support/lab-world";
import type { KubeObject } from "../kubernetes";

const CHART = { repository: "https://seaweedfs.github.io/seaweedfs/helm", chart: "seaweedfs", version: "4.44.0", namespace: "seaweedfs" };
const HOST = "s3.example.org";
const NAME = { name: "s3", namespace: "seaweedfs" };

let world: LabWorld;
let dev: WorldCluster;
let client: S3Client | undefined;
afterEach(() => client?.destroy());
inLabWorld((made) => {
  ({ world, dev } = made);
});

function s3(accessKeyId: string, secretAccessKey: string): S3Client {
  const found = dev.controllers.routes.map((routes) => routes.find(HOST, "/")).find((destination) => destination !== undefined);
  if (found === undefined || !("port" in found)) throw new Error("nothing answers there");
  client = new S3Client({
    endpoint: `http://127.0.0.1:${String(found.port)}`,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  return client;
}

test("its buckets are there, and each user writes into its own and no other", async () => {
  const buckets = [{ name: "state", versioning: true }, { name: "backups" }];
  const config = s3Config({ accessKey: "root", secretKey: "of root" }, { backups: { buckets: ["backups"], may: "write", secretKey: "of backups" } });
  await dev.namespace("seaweedfs");
  const data = { [CONFIG_KEY]: Buffer.from(config).toString("base64") };
  dev.create({ apiVersion: "v1", kind: "Secret", metadata: { ...NAME, name: CONFIG_SECRET }, data } as unknown as KubeObject);
  const values = seaweedfsValues({ storageClass: "local-path", size: "1Gi", buckets, credentialMark: "1" });
  const rendered = (await world.render({ ...CHART, values })) as Awaited<ReturnType<LabWorld["render"]>> & { hooks: { manifest: KubeObject }[] };
  for (const object of rendered.manifests) dev.create(object);
  await world.settled();
  for (const { manifest } of rendered.hooks) dev.create({ ...manifest, metadata: { ...manifest.metadata, namespace: "seaweedfs" } });
  const backend = { service: { name: "seaweedfs-s3", port: { number: 8333 } } };
  const rules = [{ host: HOST, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }];
  dev.create({ apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata: NAME, spec: { rules } } as unknown as KubeObject);
  await world.settled();
  const root = s3("root", "of root");
  expect((await root.send(new ListBucketsCommand())).Buckets?.map(({ Name }) => Name)).toEqual(["state", "backups"]);
  expect((await root.send(new GetBucketVersioningCommand({ Bucket: "state" }))).Status).toBe("Enabled");
  root.destroy();
  const own = s3("backups", "of backups");
  await own.send(new PutObjectCommand({ Bucket: "backups", Key: "a", Body: "1" }));
  await expect(own.send(new PutObjectCommand({ Bucket: "state", Key: "a", Body: "1" }))).rejects.toMatchObject({ name: "AccessDenied" });
  own.destroy();
  const nobody = s3("backups", "another");
  await expect(nobody.send(new ListBucketsCommand())).rejects.toMatchObject({ name: "SignatureDoesNotMatch" });
});
