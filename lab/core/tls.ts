import { webcrypto } from "node:crypto";
import { isIP } from "node:net";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { z } from "zod";
import type { Authority, KeyPair } from "./world";

const EC = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;
const CA_DAYS = 3650;
const LEAF_DAYS = 365;
/** Validity starts a little in the past, as real authorities do, for clocks that disagree. */
const BACKDATE_MS = 3_600_000;

const keyPairSchema = z.object({ cert: z.string(), key: z.string() });

x509.cryptoProvider.set(webcrypto);

const newKeys = (): Promise<webcrypto.CryptoKeyPair> => webcrypto.subtle.generateKey(EC, true, ["sign", "verify"]);

async function keyToPem(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}

const escapeName = (text: string): string => text.replace(/[\\,+"<>;=#]/g, (c) => `\\${c}`);
const serial = (): string =>
  Buffer.from(webcrypto.getRandomValues(new Uint8Array(15)))
    .toString("hex")
    .replace(/^/, "4");

/**
 * A new authority.
 * @param cn common name of its own certificate
 */
export async function createAuthority(cn: string, now = Date.now()): Promise<Authority> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${escapeName(cn)}`,
    serialNumber: serial(),
    notBefore: new Date(now - BACKDATE_MS),
    notAfter: new Date(now + CA_DAYS * DAY_MS),
    keys,
    signingAlgorithm: EC,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return authority(certificate, keys.privateKey, await keyToPem(keys.privateKey), now);
}

/** The authority of an earlier `save()`; the same certificate, so that clients that trusted it still do. */
export async function restoreAuthority(saved: unknown, now = Date.now()): Promise<Authority> {
  const { cert, key } = keyPairSchema.parse(saved);
  const der = x509.PemConverter.decodeFirst(key);
  const privateKey = await webcrypto.subtle.importKey("pkcs8", der, EC, true, ["sign"]);
  return authority(new x509.X509Certificate(cert), privateKey, key, now);
}

function authority(ca: x509.X509Certificate, caKey: webcrypto.CryptoKey, caKeyPem: string, now: number): Authority {
  const caPem = `${ca.toString("pem").trim()}\n`;
  const sign = async (subject: string, usage: x509.ExtendedKeyUsage, extra: x509.Extension[]): Promise<KeyPair> => {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial(),
      issuer: ca.subject,
      subject,
      notBefore: new Date(now - BACKDATE_MS),
      notAfter: new Date(now + LEAF_DAYS * DAY_MS),
      publicKey: keys.publicKey,
      signingKey: caKey,
      signingAlgorithm: EC,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
        new x509.ExtendedKeyUsageExtension([usage]),
        await x509.AuthorityKeyIdentifierExtension.create(ca),
        ...extra,
      ],
    });
    return { cert: `${certificate.toString("pem").trim()}\n`, key: `${(await keyToPem(keys.privateKey)).trim()}\n` };
  };
  return {
    caPem,
    issue: (names) =>
      sign(`CN=${escapeName(names[0] ?? "lab")}`, x509.ExtendedKeyUsage.serverAuth, [
        new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: isIP(value) ? ("ip" as const) : ("dns" as const), value }))),
      ]),
    issueClient: (cn, orgs) => sign([...orgs.map((o) => `O=${escapeName(o)}`), `CN=${escapeName(cn)}`].join(","), x509.ExtendedKeyUsage.clientAuth, []),
    save: () => ({ cert: caPem, key: caKeyPem }),
  };
}
