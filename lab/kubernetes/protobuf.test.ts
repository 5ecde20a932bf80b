/** Bodies as Go's clients write them: `k8s\\0`, an envelope with the type, and the object. */
import { BinaryWriter } from "google-protobuf";
import { protobufBody } from "./protobuf";

type Fill = (writer: BinaryWriter) => void;

function written(fill: Fill): Uint8Array {
  const writer = new BinaryWriter();
  fill(writer);
  return writer.getResultBuffer();
}
const entry = (key: string, value: string): Uint8Array =>
  written((w) => {
    w.writeString(1, key);
    w.writeString(2, value);
  });

function body(apiVersion: string, kind: string, fill: Fill): Buffer {
  const envelope = written((w) => {
    w.writeBytes(1, entry(apiVersion, kind));
    w.writeBytes(2, written(fill));
    w.writeString(3, "");
    w.writeString(4, "");
  });
  return Buffer.concat([Buffer.from("k8s\0", "latin1"), envelope]);
}

test("a Secret: maps, bytes as base64, times, an empty time as null", () => {
  const secret = body("v1", "Secret", (w) => {
    w.writeBytes(
      1,
      written((m) => {
        m.writeString(1, "sh.helm.release.v1.web.v1");
        m.writeString(3, "apps");
        m.writeBytes(8, new Uint8Array());
        m.writeBytes(
          9,
          written((time) => time.writeInt64(1, 1_750_000_000)),
        );
        m.writeBytes(11, entry("owner", "helm"));
        m.writeBytes(11, entry("version", "1"));
        m.writeString(14, "a");
        m.writeString(14, "b");
        m.writeBytes(17, entry("ignored", ""));
      }),
    );
    w.writeBytes(2, entry("release", "H4sI"));
    w.writeString(3, "helm.sh/release.v1");
    w.writeBool(5, true);
  });
  expect(protobufBody(secret)).toEqual({
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: "sh.helm.release.v1.web.v1",
      namespace: "apps",
      creationTimestamp: null,
      deletionTimestamp: "2025-06-15T15:06:40Z",
      labels: { owner: "helm", version: "1" },
      finalizers: ["a", "b"],
    },
    data: { release: Buffer.from("H4sI").toString("base64") },
    type: "helm.sh/release.v1",
    immutable: true,
  });
});

test("the options of a deletion", () => {
  const options = body("v1", "DeleteOptions", (w) => {
    w.writeBytes(2, entry("uid-1", "7"));
    w.writeString(4, "Background");
  });
  expect(protobufBody(options)).toMatchObject({ preconditions: { uid: "uid-1", resourceVersion: "7" }, propagationPolicy: "Background" });
});

test.each([
  ["a kind that it does not have", body("v1", "Nothing", () => undefined), "v1 Nothing"],
  ["a field that it does not know", body("v1", "Namespace", (w) => w.writeString(99, "x")), "field 99 of Namespace"],
  ["a body without the mark", Buffer.from("{}"), "a body without its mark"],
])("%s is refused by name", (_case, bytes, what) => {
  expect(() => protobufBody(bytes)).toThrow(`the lab does not read ${what} in application/vnd.kubernetes.protobuf`);
});
