import { HomelabError } from "../../common/errors";
import { hostOf, requireCredentials, servingStack } from "./state-backend";

const routes = [
  { host: "s3.example.org", owner: "minio", stack: "core" },
  { host: "vault.example.org", owner: "vault", stack: "core" },
];

test.each([
  ["file:///srv/states", undefined, undefined],
  ["s3://bucket", undefined, undefined],
  ["s3://bucket/prefix?endpoint=https://s3.example.org&region=main", "s3.example.org", "core"],
  ["s3://bucket?endpoint=s3.example.org", "s3.example.org", "core"],
  ["s3://bucket?endpoint=http://127.0.0.1:9000&s3ForcePathStyle=true", "127.0.0.1", undefined],
  ["s3://bucket?endpoint=https%3A%2F%2Fs3.example.org%3A443", "s3.example.org", "core"],
])("of the backend %s, the host is %s, and the stack that serves it %s", (backend, host, stack) => {
  expect([hostOf(backend), servingStack(backend, { routes })]).toEqual([host, stack]);
});

const refusal = (act: () => void): string => {
  try {
    act();
  } catch (thrown) {
    return thrown instanceof HomelabError ? `${thrown.code}: ${thrown.message}` : String(thrown);
  }
  return "accepted";
};

test("an endpoint that is no address is a usage error", () => {
  expect(refusal(() => void hostOf("s3://bucket?endpoint=https://"))).toBe("E_USAGE: s3://bucket?endpoint=https://: its endpoint is no address");
});

test.each([
  ["file:///srv/states", {}, "accepted"],
  ["s3://b?endpoint=s3.example.org", { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" }, "accepted"],
  ["s3://b?anonymous=true", {}, "accepted"],
  ["s3://b?region=x&profile=home", {}, "accepted"],
  [
    "s3://b?endpoint=s3.example.org",
    { AWS_ACCESS_KEY_ID: "a" },
    "E_USAGE: AWS_SECRET_ACCESS_KEY is not set, and the states are to be in s3://b?endpoint=s3.example.org",
  ],
  ["s3://b", {}, "E_USAGE: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set, and the states are to be in s3://b"],
])("credentials for %s with %j: %s", (backend, env, expected) => {
  expect(refusal(() => requireCredentials(backend, env))).toBe(expected);
});
