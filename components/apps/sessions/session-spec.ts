/** A session of a learner: two machines of KubeVirt in a namespace of their own, for a limited time. Plain data. */
import { z } from "zod";
import { HomelabError } from "../../../common/errors";

export const quantity = z.string().regex(/^\d+(Mi|Gi)$/, "must be an amount such as 2Gi");
export const sessionName = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$/, "must be a name of a-z, 0-9 and -");
export const kubernetesVersion = z.string().regex(/^\d+\.\d+\.\d+$/, "must be a version such as 1.33.0");

export const sessionSchema = z.strictObject({
  /** Also a part of the namespace's name. */
  id: sessionName,
  kubernetesVersion,
  /** The volume that both machines are cloned from. */
  goldenImage: z.strictObject({ namespace: sessionName, name: sessionName }),
  storageClass: sessionName,
  cpuCores: z.int().min(2, "must be at least 2: kubeadm refuses fewer").max(8),
  memory: quantity,
  diskSize: quantity,
  podCidr: z.cidrv4("must be a network such as 10.0.0.0/16"),
  sshPublicKey: z.string().regex(/^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d+) [A-Za-z0-9+/=]+( [^\n]*)?$/, "must be an OpenSSH public key"),
  /** Made for this session alone; valid for half an hour. */
  joinToken: z.string().regex(/^[a-z0-9]{6}\.[a-z0-9]{16}$/, "must be a token of kubeadm: abcdef.0123456789abcdef"),
  /** When the session expires and the reaper deletes it, ISO 8601. */
  expires: z.iso.datetime({ error: "must be a time such as 2026-11-30T12:00:00Z" }),
});

export type SessionOptions = z.output<typeof sessionSchema>;

export interface SessionSpec extends SessionOptions {
  readonly namespace: string;
}

/** The hint for options that a schema in this folder refuses. */
export const correct = (file: string): string => `correct what is named; components/apps/sessions/${file} says what each is`;

/** @throws HomelabError E_SESSION that names each option that is wrong */
export function parseOptions<T>(schema: z.ZodType<T>, given: unknown, subject: string, hint: string): T {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new HomelabError("E_SESSION", parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "), { subject, hint });
}
