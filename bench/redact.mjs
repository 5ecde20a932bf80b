// How much redaction costs: 20 MB of log with 200 registered secrets. `node build/build.cjs && node bench/redact.mjs`
import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";

const { createRedactor } = createRequire(import.meta.url)("../bin/common/redact.js");
const MEGABYTES = 20;
const secrets = Array.from({ length: 200 }, (_, i) =>
  i % 20 === 0
    ? `-----BEGIN KEY-----\n${randomBytes(1200)
        .toString("base64")
        .match(/.{1,64}/g)
        .join("\n")}\n-----END KEY-----\n`
    : randomBytes(24).toString("base64url"),
);
const line = (i) =>
  `2026-01-01T00:00:00Z [dev] kubernetes:apps/v1:Deployment app-${i} updated: {"spec":{"replicas":${i % 7}}}${i % 500 === 0 ? ` password=${secrets[i % secrets.length]}` : ""}\n`;
let text = "";
for (let i = 0; text.length < MEGABYTES * 1e6; i++) text += line(i);

const redactor = createRedactor();
const registering = performance.now();
for (const secret of secrets) redactor.register(secret);
const started = performance.now();
const redacted = redactor.redact(text);
const took = performance.now() - started;
console.log(
  JSON.stringify({
    secrets: secrets.length,
    registerMs: Math.round(started - registering),
    megabytes: MEGABYTES,
    redactMs: Math.round(took),
    hidden: redacted.split("[secret]").length - 1,
  }),
);
const lines = text.split("\n").slice(0, 20_000);
const each = performance.now();
for (const one of lines) redactor.redact(one);
console.log(JSON.stringify({ lines: lines.length, microsecondsPerLine: Math.round(((performance.now() - each) / lines.length) * 1000) }));
