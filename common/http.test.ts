import * as https from "node:https";
import type { AddressInfo } from "node:net";
import { createAuthority } from "../lab/core/tls";
import { describeError } from "./errors";
import { createHttpClient } from "./http";

const DAY_MS = 86_400_000;
type Authority = Awaited<ReturnType<typeof createAuthority>>;
let authority: Authority;
beforeAll(async () => {
  authority = await createAuthority("tests");
});

/** What a person reads when a server with this certificate is asked. */
async function said(issuer: Authority, names: string[], ca: string): Promise<string> {
  const { cert, key } = await issuer.issue(names);
  const server = https.createServer({ cert, key }, (_, response) => response.end("ok"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = createHttpClient(`https://127.0.0.1:${(server.address() as AddressInfo).port}`, { ca });
  try {
    const { status } = await client.request({ method: "GET", url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/` });
    return `answered ${status}`;
  } catch (thrown) {
    return describeError(thrown).replaceAll(/127\.0\.0\.1:\d+/g, "HOST");
  } finally {
    await client.close();
    server.closeAllConnections();
    server.close();
  }
}

test("a certificate that is trusted is answered", async () => {
  expect(await said(authority, ["127.0.0.1"], authority.caPem)).toBe("answered 200");
});

test("a certificate is named as what is wrong, with what to do about it: no word of a server that would not answer", async () => {
  const other = await createAuthority("others");
  const past = await createAuthority("of last year", Date.now() - 5_000 * DAY_MS);
  const found = await Promise.all([
    said(authority, ["127.0.0.1"], other.caPem),
    said(authority, ["vault.example.org"], authority.caPem),
    said(past, ["127.0.0.1"], past.caPem),
  ]);
  expect(found.map((text) => text.split("\n").filter((line) => !line.startsWith("  because")))).toEqual([
    ["GET https://HOST: its authority is not trusted here", "  next: name it in NODE_EXTRA_CA_CERTS"],
    ["GET https://HOST: its certificate is for another name", "  next: look at the address, and at the certificate that is served there"],
    ["GET https://HOST: its certificate has expired", "  next: renew it"],
  ]);
});
