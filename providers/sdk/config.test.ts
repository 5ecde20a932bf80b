import { provider as proxmox } from "../proxmoxve/provider";
import { provider as vault } from "../vault/provider";
import { UNKNOWN } from "./values";

test("a setting that is refused is named with its reason; unknown values wait", () => {
  expect(vault.checkConfig?.({ address: UNKNOWN, token: UNKNOWN, namespace: "team", skipTlsVerify: "true", version: "7.8.0" })).toEqual([
    { property: "namespace", reason: "the embedded provider does not support it: namespaces are part of Vault Enterprise; the official plugin does" },
  ]);
  expect(proxmox.checkConfig?.({ endpoint: "https://h:8006", username: "root@pam", insecure: "yes" })).toEqual([
    { property: "username", reason: "the embedded provider does not support it: give apiToken; the official plugin does" },
    { property: "insecure", reason: "Invalid input: expected boolean, received string" },
  ]);
});

test("a missing address or token is told with the variable that may hold it", async () => {
  const call = { urn: "", signal: new AbortController().signal, log: () => undefined };
  const before = { ...process.env };
  for (const name of ["VAULT_ADDR", "VAULT_TOKEN", "PROXMOX_VE_ENDPOINT", "PROXMOX_VE_API_TOKEN"]) delete process.env[name];
  try {
    await expect(vault.configure({ ...call, config: { address: "http://127.0.0.1" } })).rejects.toMatchObject({
      hint: "set `token` of the provider, or VAULT_TOKEN",
    });
    await expect(proxmox.configure({ ...call, config: {} })).rejects.toMatchObject({ hint: "set `endpoint` of the provider, or PROXMOX_VE_ENDPOINT" });
  } finally {
    Object.assign(process.env, before);
  }
});
