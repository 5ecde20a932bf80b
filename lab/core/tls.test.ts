import { X509Certificate } from "node:crypto";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import { createAuthority, restoreAuthority } from "./tls";

test("a server certificate of a restored authority is trusted by who trusted the first one, by name and by address", async () => {
  const first = await createAuthority("lab test CA");
  const restored = await restoreAuthority(JSON.parse(JSON.stringify(first.save())));
  expect(restored.caPem).toBe(first.caPem);
  const { cert, key } = await restored.issue(["vault.fullstack.pw", "192.168.1.248", "127.0.0.1"]);
  const server = https.createServer({ cert, key }, (_, response) => response.end("hello"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const body = await new Promise<string>((resolve, reject) => {
      const { port } = server.address() as AddressInfo;
      https
        .get({ host: "127.0.0.1", port, servername: "vault.fullstack.pw", ca: first.caPem, agent: false }, (response) => {
          response.on("data", (chunk) => resolve(String(chunk)));
        })
        .on("error", reject);
    });
    expect(body).toBe("hello");
    const parsed = new X509Certificate(cert);
    expect(parsed.checkIP("192.168.1.248")).toBe("192.168.1.248");
    expect(parsed.checkHost("other.fullstack.pw")).toBeUndefined();
  } finally {
    server.close();
  }
});

test("a client certificate carries the user and its groups", async () => {
  const authority = await createAuthority("k3s-client-ca");
  const { cert } = await authority.issueClient("system:admin", ["system:masters"]);
  expect(new X509Certificate(cert).subject).toBe("O=system:masters\nCN=system:admin");
});
