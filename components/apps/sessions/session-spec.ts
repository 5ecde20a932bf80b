/** A session of a learner: two machines of KubeVirt in a namespace of their own, for a limited time. Plain data. */
import { z } from "zod";
import { assertDisjoint } from "../../../ansible-replacements/cidr";
import { HomelabError } from "../../../common/errors";

/** Of memory or of a disk, in MiB. @param text such as `2Gi` */
export const mebibytes = (text: string): number => Number.parseInt(text, 10) * (text.endsWith("Gi") ? 1024 : 1);

/** @param least in MiB. @param why it is that much */
const quantity = (least: number, most: number, why: string) =>
  z
    .string()
    .regex(/^[1-9]\d{0,6}(Mi|Gi)$/, "must be an amount such as 2Gi")
    .refine((text) => mebibytes(text) >= least, { error: `must be at least ${least}Mi: ${why}` })
    .refine((text) => mebibytes(text) <= most, { error: `must be at most ${most / 1024}Gi` });
const GIB = 1024;
/** kubeadm's preflight check of a control plane asks for 1700 MB, of which the kernel takes a part. */
const memory = quantity(2 * GIB - 256, 64 * GIB, "kubeadm refuses less");
export const diskSize = quantity(4 * GIB, 1024 * GIB, "Debian's cloud image alone has 3Gi");

/** kubeadm's own range of Services. */
const SERVICES = "10.96.0.0/12";
/** Cilium gives each node a /24. */
const [WIDEST, NARROWEST] = [8, 23];

function podCidrProblem(text: string): string | undefined {
  const prefix = Number(text.split("/")[1]);
  if (prefix < WIDEST || prefix > NARROWEST) return `must have a prefix of /${WIDEST} to /${NARROWEST}: each node gets a /24 of it`;
  try {
    assertDisjoint({ "the range of pods": text, "the range of Services": SERVICES });
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof HomelabError)) throw thrown;
    return thrown.message;
  }
}
const podCidr = z.cidrv4("must be a network such as 10.0.0.0/16").superRefine((text, context) => {
  const problem = podCidrProblem(text);
  if (problem !== undefined) context.addIssue(problem);
});

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
  memory,
  diskSize,
  podCidr,
  sshPublicKey: z.string().regex(/^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d+) [A-Za-z0-9+/=]+( [^\p{Cc}\u2028\u2029]*)?$/u, "must be an OpenSSH public key"),
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
