/**
 * The way of a secret with the real programs: SOPS file → the program of `tools` → Vault → role of another stack's namespace → External
 * Secrets → Secret in that stack's cluster. Our program and providers create every object. The tests depend on each other and run in order.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { RealEstate } from "../support/real-estate";
import { describeReal } from "../support/real-parts";

/** External Secrets polls every two seconds, and less often after failures. */
const WAIT_MS = 4 * 60_000;
const LIMIT_MS = 15 * 60_000;

const ENTRY = "apps/shop";
const OTHER = "apps/other";
const LONG = `two\nlines "quoted" \\ ünïcode ${"x".repeat(2000)}`;
const WANTED = [{ name: "shop", data: { PASSWORD: { path: ENTRY, key: "password" }, CERT: { path: ENTRY, key: "certificate" } } }];

const secretSchema = z.object({ data: z.record(z.string(), z.string()) });
const wantedSchema = z.looseObject({
  status: z.looseObject({ conditions: z.array(z.looseObject({ type: z.string(), status: z.string(), message: z.string().optional() })).optional() }).optional(),
});

describeReal(["etcd", "kube-apiserver", "kube-controller-manager", "vault", "external-secrets"], "a secret's way, real", (pathOf) => {
  let estate: RealEstate;
  beforeAll(async () => {
    estate = await RealEstate.start({
      programs: { apiserver: pathOf("kube-apiserver"), etcd: pathOf("etcd"), controllerManager: pathOf("kube-controller-manager") },
      namespaces: [
        { name: "shop", secrets: WANTED, granted: true },
        { name: "nobody", secrets: WANTED, granted: false },
      ],
      intruders: [
        // The first uses the store of another namespace, the second asks its own store for an entry of others.
        { namespace: "nobody", store: "vault-shop", path: ENTRY, key: "password" },
        { namespace: "shop", store: "vault-shop", path: OTHER, key: "password" },
      ],
    });
  }, LIMIT_MS);
  afterAll(() => estate?.stop(), LIMIT_MS);

  const secretOf = async (namespace: string, name: string): Promise<Record<string, string> | undefined> => {
    const found = secretSchema.safeParse(await estate.dev.call("GET", `/api/v1/namespaces/${namespace}/secrets/${name}`, undefined, { allowed: [404] }));
    return found.success
      ? Object.fromEntries(Object.entries(found.data.data).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]))
      : undefined;
  };
  /** The Ready condition of an ExternalSecret. */
  const ready = async (namespace: string, name: string): Promise<{ status: string; message: string | undefined } | undefined> => {
    const { status } = wantedSchema.parse(await estate.dev.call("GET", `/apis/external-secrets.io/v1/namespaces/${namespace}/externalsecrets/${name}`));
    const condition = status?.conditions?.find(({ type }) => type === "Ready");
    return condition && { status: condition.status, message: condition.message };
  };
  async function until<T>(ask: () => Promise<T>, wanted: (answer: T) => boolean): Promise<T> {
    for (const deadline = Date.now() + WAIT_MS; ; ) {
      const answer = await ask();
      if (wanted(answer) || Date.now() > deadline) return answer;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
  const arrives = async (password: string): Promise<void> => {
    const got = await until(
      async () => ({ password: (await secretOf("shop", "shop"))?.["PASSWORD"], status: (await ready("shop", "shop"))?.status }),
      (answer) => answer.password === password && answer.status === "True",
    );
    expect(got).toEqual({ password, status: "True" });
  };
  const unseal = async (): Promise<void> => {
    expect(await estate.vaultCommand("unseal")).toEqual({ code: 0, out: '{"wasSealed":true}\n', err: "" });
  };

  test(
    "what stands in a SOPS file is in the namespace's Secret, byte for byte",
    async () => {
      estate.writeSecret(ENTRY, { password: "first", certificate: LONG });
      estate.writeSecret(OTHER, { password: "of another" });
      await estate.up("tools");
      await estate.up("dev");
      await arrives("first");
      expect(await secretOf("shop", "shop")).toEqual({ PASSWORD: "first", CERT: LONG });
    },
    LIMIT_MS,
  );

  test(
    "a namespace without a role gets nothing, by its own store or by another's; nor does a store reach another entry",
    async () => {
      const refused: [string, string][] = [
        ["nobody", "shop"],
        ["nobody", "intruder"],
        ["shop", "intruder"],
      ];
      for (const [namespace, name] of refused) {
        const said = await until(
          () => ready(namespace, name),
          (answer) => answer !== undefined,
        );
        expect([namespace, name, said]).toEqual([
          namespace,
          name,
          { status: "False", message: expect.stringMatching(/^could not get secret data from provider|is not ready/) },
        ]);
      }
      expect([await secretOf("nobody", "shop"), await secretOf("nobody", "intruder"), await secretOf("shop", "intruder")]).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
    },
    LIMIT_MS,
  );

  test(
    "a rotated value arrives, and a second run changes nothing",
    async () => {
      estate.writeSecret(ENTRY, { password: "second", certificate: LONG });
      await estate.up("tools");
      await arrives("second");
      await estate.up("tools", { expectNoChanges: true });
      await estate.up("dev", { expectNoChanges: true });
    },
    LIMIT_MS,
  );

  test(
    "a Vault that seals keeps the Secret as it was; unsealed, it has lost nothing, and what changed meanwhile arrives",
    async () => {
      await estate.vault.restart();
      const sealed = await until(
        () => ready("shop", "shop"),
        (answer) => answer?.status === "False",
      );
      expect([sealed?.status, (await secretOf("shop", "shop"))?.["PASSWORD"]]).toEqual(["False", "second"]);
      estate.writeSecret(ENTRY, { password: "third", certificate: LONG });
      await expect(estate.up("tools")).rejects.toThrow(/sealed/);
      await unseal();
      await arrives("second");
      await estate.up("tools");
      await arrives("third");
      expect(await secretOf("shop", "shop")).toEqual({ PASSWORD: "third", CERT: LONG });
    },
    LIMIT_MS,
  );

  test(
    "a Vault that dies in the middle of a run: the run says so, and the next one brings what is missing",
    async () => {
      const entries = Array.from({ length: 30 }, (_, index) => `many/entry-${index}`);
      for (const entry of entries) estate.writeSecret(entry, { value: `of ${entry}` });
      let written = 0;
      let restarted: Promise<void> | undefined;
      const cut = estate.up("tools", {
        onEvent: ({ resOutputsEvent }) => {
          if (resOutputsEvent?.metadata.type !== "vault:kv/secretV2:SecretV2" || resOutputsEvent.metadata.op !== "create") return;
          written += 1;
          if (written === 3) restarted = estate.vault.restart();
        },
      });
      await expect(cut).rejects.toThrow();
      expect(written).toBeLessThan(entries.length);
      await restarted;
      await unseal();
      await estate.up("tools");
      expect(await estate.readEntries(entries)).toEqual(new Map(entries.map((entry) => [entry, { value: `of ${entry}` }])));
      await estate.up("tools", { expectNoChanges: true });
    },
    LIMIT_MS,
  );

  test(
    "a backup of its storage that is put back opens with the same keys, and a run with refresh brings what came after it",
    async () => {
      const backup = path.join(estate.folder, "backup");
      await estate.vault.halt();
      fs.cpSync(estate.vault.storage, backup, { recursive: true });
      await estate.vault.start();
      await unseal();
      estate.writeSecret(ENTRY, { password: "fourth", certificate: LONG });
      await estate.up("tools");
      await arrives("fourth");

      await estate.vault.halt();
      fs.rmSync(estate.vault.storage, { recursive: true });
      fs.cpSync(backup, estate.vault.storage, { recursive: true });
      await estate.vault.start();
      await unseal();
      await arrives("third");
      await estate.up("tools", { refresh: true });
      await arrives("fourth");
      await estate.up("dev", { refresh: true, expectNoChanges: true });
    },
    LIMIT_MS,
  );
});
