import { builtModule, PLACE } from "../../../tests/support/module-build";
import { only, plain } from "../../../tests/support/pulumi-mocks";
import { objectViolations } from "../../rules/rules";
import { stateBackup } from "./module";
import { settings } from "./values";

const OPTIONS = {
  ...stateBackup.example,
  databases: {
    here: { host: "postgres-rw.postgres.svc", namespace: "postgres", database: "apps", user: "apps", password: { path: "store/A", key: "one" } },
    dev: { host: "dev.postgres.example.org", database: "apps", user: "apps", password: { path: "store/A", key: "two" } },
  },
};
const options = stateBackup.options.parse(OPTIONS);
interface Container {
  image: string;
  env: { name: string; value?: string; valueFrom?: object }[];
  args?: unknown;
  command?: unknown;
}

test("the Job has its secrets as variables of a Secret that comes from Vault first, and public keys only", async () => {
  const registered = await builtModule(stateBackup, { options: OPTIONS });
  const job = only(registered, "kubernetes:batch/v1:CronJob");
  const { spec } = plain(job.inputs) as { spec: { schedule: string; jobTemplate: { spec: { template: { spec: { containers: Container[] } } } } } };
  expect(spec).toMatchObject({ schedule: "0 2 * * *", timeZone: "Etc/UTC", concurrencyPolicy: "Forbid" });
  const [container] = spec.jobTemplate.spec.template.spec.containers;
  expect([container?.image, container?.args, container?.command]).toEqual(["registry.example.org/library/state-backup:1", undefined, undefined]);
  const secrets = container?.env.filter(({ valueFrom }) => valueFrom !== undefined).map(({ name }) => name);
  expect(secrets).toEqual([
    "RCLONE_CONFIG_STATES_SECRET_ACCESS_KEY",
    "RCLONE_CONFIG_HERE_SECRET_ACCESS_KEY",
    "RCLONE_CONFIG_ELSEWHERE_ACCESS_KEY_ID",
    "RCLONE_CONFIG_ELSEWHERE_SECRET_ACCESS_KEY",
    "BACKUP_here_PASSWORD",
    "BACKUP_dev_PASSWORD",
  ]);
  const values = new Map(container?.env.map(({ name, value }) => [name, value]));
  expect([...values.keys()].filter((name) => values.get(name) !== undefined && /SECRET|PASSWORD/.test(name))).toEqual([]);
  expect(job.dependencies.join()).toContain("state-backup-secrets");
  const config = plain(only(registered, "kubernetes:core/v1:ConfigMap").inputs) as { data: Record<string, string> };
  expect(config.data).toEqual({ "recipients.txt": `${PLACE.ageRecipients.join("\n")}\n` });
  expect(JSON.stringify(registered.map(({ inputs }) => plain(inputs)))).not.toContain("AGE-SECRET-KEY");
  expect(objectViolations({ apiVersion: "batch/v1", kind: "CronJob", ...(plain(job.inputs) as object) })).toEqual([]);
});

test("a homelab of its own authority trusts it beside everybody's", async () => {
  const registered = await builtModule(stateBackup, { options: OPTIONS, place: { vaultByOwnAuthority: true } });
  const configs = registered.filter(({ type }) => type === "kubernetes:core/v1:ConfigMap").map(({ name }) => name);
  expect(configs).toEqual(["state-backup-recipients", "state-backup-authority"]);
  expect(JSON.stringify(plain(only(registered, "kubernetes:batch/v1:CronJob").inputs))).toContain("SSL_CERT_DIR");
});

test("it reaches the two storages and the databases, and nothing else", () => {
  expect(stateBackup.parts(options, PLACE).flows.map(({ direction, peer, port }) => `${direction} ${peer} ${port}`)).toEqual([
    "out https://s3.example.org 443",
    "out https://s3.eu-central-1.example.net 443",
    "out postgres 5432",
    "out homelab 5432",
  ]);
});

test("what is read and written where, as rclone and the script take it", () => {
  expect(settings(options, PLACE)).toMatchObject({
    BACKUP_STATES: "pulumi-state",
    BACKUP_PLACES: "here elsewhere",
    BACKUP_DATABASES: "here dev",
    BACKUP_elsewhere_BUCKET: "homelab",
    BACKUP_dev_HOST: "dev.postgres.example.org",
    RCLONE_CONFIG_STATES_ENDPOINT: "https://s3.example.org",
    RCLONE_CONFIG_STATES_ACCESS_KEY_ID: "state-reader",
    RCLONE_CONFIG_ELSEWHERE_ENDPOINT: "https://s3.eu-central-1.example.net",
  });
});

test("without a public key to encrypt to nothing is made", async () => {
  await expect(builtModule(stateBackup, { options: OPTIONS, place: { ageRecipients: [] } })).rejects.toThrow("there is no public key of age to encrypt to");
});
