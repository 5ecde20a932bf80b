// A program with what JSON cannot say: assets and archives, and a resource that is an input. V: a version of the files' contents.
const pulumi = require("@pulumi/pulumi");
const fs = require("node:fs");
class Res extends pulumi.CustomResource {
  constructor(name, args, opts) {
    super("exp:index:Res", name, { out: undefined, ...args }, opts);
  }
}
const v = process.env.V || "1";
fs.mkdirSync("files/folder/deep", { recursive: true });
fs.writeFileSync("files/one.txt", `one ${v}`);
fs.writeFileSync("files/folder/b.txt", `b ${v}`);
fs.writeFileSync("files/folder/a.txt", "a");
fs.writeFileSync("files/folder/deep/c.txt", "");
fs.writeFileSync("files/packed.zip", `not really packed ${v}`);
new Res("file", { name: "file", f: new pulumi.asset.FileAsset("files/one.txt") });
new Res("text", { name: "text", f: new pulumi.asset.StringAsset(`text ${v}`) });
new Res("folder", { name: "folder", f: new pulumi.asset.FileArchive("files/folder") });
new Res("packed", { name: "packed", f: new pulumi.asset.FileArchive("files/packed.zip") });
const long = `${"long-".repeat(15)}/${"name-".repeat(15)}.txt`;
new Res("mixed", {
  name: "mixed",
  f: new pulumi.asset.AssetArchive({
    "z.txt": new pulumi.asset.StringAsset(`z ${v}`),
    "a.txt": new pulumi.asset.FileAsset("files/one.txt"),
    sub: new pulumi.asset.FileArchive("files/folder"),
    inner: new pulumi.asset.AssetArchive({ [long]: new pulumi.asset.StringAsset("long"), "ü.txt": new pulumi.asset.StringAsset("umlaut") }),
  }),
});
const secret = new Res("secret", { name: "secret", f: pulumi.secret(new pulumi.asset.StringAsset("hidden")), l: [new pulumi.asset.StringAsset("in a list")] });
new Res("user", { name: "user", other: secret, f: secret.f });
