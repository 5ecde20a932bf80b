/**
 * `node bin/stacks/sessions.js`: the objects of a learner's session, for kubectl. Takes one of the questions below on standard input and
 * prints JSON. The orchestrator's child (`homelab sessions`). Loads no Pulumi SDK. Errors as in describe.ts.
 */
import { randomInt } from "node:crypto";
import { z } from "zod";
import { type GoldenImageOptions, goldenImageManifests } from "../components/apps/sessions/golden-image";
import { reaperManifests, sessionManifests } from "../components/apps/sessions/session-manifests";
import { parseOptions, type SessionOptions, sessionName } from "../components/apps/sessions/session-spec";
import { runChild } from "./child";

const MINUTE_MS = 60_000;
/** Options in the file that are for this command. The rest goes to the session; what differs in each session is made here. */
const settingsSchema = z.looseObject({ minutes: z.int().min(5).max(1440), limit: z.int().min(1).max(100) });

const questionSchema = z.discriminatedUnion("of", [
  z.strictObject({ of: z.literal("session"), id: z.string(), sshPublicKey: z.string(), running: z.int().min(0), now: z.int(), settings: z.unknown() }),
  z.strictObject({ of: z.literal("reaper"), namespace: sessionName }),
  z.strictObject({ of: z.literal("golden-image"), settings: z.unknown() }),
]);

const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
const letters = (count: number): string => Array.from({ length: count }, () => LETTERS[randomInt(LETTERS.length)]).join("");
/** A bootstrap token of kubeadm (https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens). */
const joinToken = (): string => `${letters(6)}.${letters(16)}`;

/** @throws HomelabError E_SESSION */
export function sessionObjects(input: string): readonly object[] {
  const question = questionSchema.parse(JSON.parse(input));
  if (question.of === "reaper") return reaperManifests(question.namespace);
  // The functions that get the options check them with their schemas.
  if (question.of === "golden-image") return goldenImageManifests(question.settings as GoldenImageOptions);
  const { minutes, limit, ...rest } = parseOptions(settingsSchema, question.settings, question.id, "the options need minutes and limit");
  const { id, sshPublicKey, running, now } = question;
  const options = { ...rest, id, sshPublicKey, joinToken: joinToken(), expires: new Date(now + minutes * MINUTE_MS).toISOString() };
  return sessionManifests(options as unknown as SessionOptions, { running, limit });
}

if (require.main === module) {
  runChild((input) => Promise.resolve({ version: 1, objects: sessionObjects(input) }));
}
