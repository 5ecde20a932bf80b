import { builtModule, graphOf } from "../../../tests/support/module-build";
import { plain } from "../../../tests/support/pulumi-mocks";
import { vaultEntries } from "./module";

const SECRET_MARK = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };

test("each entry of Vault is a resource of its own, with its values secret, and stays there when its file goes", async () => {
  const all = new Map([
    ["cloudflare", { "api-token": "t0ken" }],
    ["store/secrets/MINIO", { rootUser: "u", rootPassword: "p" }],
  ]);
  const registered = await builtModule(vaultEntries, { secrets: { all: () => all } });
  expect(graphOf(registered)).toEqual({
    "vault:kv/secretV2:SecretV2 vault-entries-cloudflare": "given-vault",
    "vault:kv/secretV2:SecretV2 vault-entries-store-secrets-MINIO": "given-vault",
  });
  const entries = registered.filter((r) => r.type === "vault:kv/secretV2:SecretV2");
  expect(entries.map((r) => plain(r.inputs))).toEqual([
    { mount: "kv", name: "cloudflare", dataJson: '{"api-token":"t0ken"}', deleteAllVersions: true },
    { mount: "kv", name: "store/secrets/MINIO", dataJson: '{"rootUser":"u","rootPassword":"p"}', deleteAllVersions: true },
  ]);
  for (const { inputs, retainOnDelete } of entries) {
    expect(inputs["dataJson"]).toMatchObject(SECRET_MARK);
    expect(retainOnDelete).toBe(true);
  }
});

test("two paths whose resources would have one name are refused, by both", async () => {
  const all = new Map([
    ["shop/a-b", { key: "1" }],
    ["shop-a/b", { key: "2" }],
  ]);
  await expect(builtModule(vaultEntries, { secrets: { all: () => all } })).rejects.toMatchObject({
    reason: "shop/a-b and shop-a/b both have the resource vault-entries-shop-a-b: move one of them to another path of secrets/",
  });
});
