import { z } from "zod";
import { storePath } from "../../../common/vault-layout";
import { volumeSize } from "../option-types";

const name = (what: string) => z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, `must be a name of ${what} of a-z, 0-9 and -`);
/** Parts between dots, of which `*` stands for any, and a last `>` for all that follow. A sign of these in a longer part means itself. */
const isSubject = (text: string): boolean =>
  text.split(".").every((part, index, parts) => part === "*" || (part === ">" && index === parts.length - 1) || /^[^\s"\\*>]+$/.test(part));
const subjects = z.array(z.string().refine(isSubject, "must be a subject of parts between dots, such as orders.> or orders.*.paid")).min(1);

export const natsOptions = z.strictObject({
  storageClass: z.string().optional().describe("Class of JetStream's volume. Left out: the cluster's own"),
  size: volumeSize.default("10Gi").describe("Size of JetStream's volume"),
  accounts: z
    .record(
      name("an account"),
      z.strictObject({
        jetstream: z.boolean().default(true),
        users: z
          .record(name("a user"), z.strictObject({ subjects: subjects.default([">"]), path: z.string(), key: z.string() }))
          .refine((users) => Object.keys(users).length > 0, "must have at least one user"),
      }),
    )
    .refine((accounts) => Object.keys(accounts).length > 0, "must have at least one account: nobody else may connect")
    .refine((accounts) => {
      const users = Object.values(accounts).flatMap(({ users: own }) => Object.keys(own));
      return new Set(users).size === users.length;
    }, "must have each user in one account alone: a client names the user, and not the account")
    .default({
      apps: { jetstream: true, users: { apps: { subjects: [">"], path: storePath("NATS"), key: "NATS_PASSWORD" } } },
    })
    .describe(
      "By name: whether it has `jetstream`, and its `users`, each with the `subjects` that it may publish and subscribe to, and `path` and `key` of its password in secrets/. Accounts see nothing of one another",
    ),
});

export type NatsOptions = z.output<typeof natsOptions>;
