import { webcrypto } from "node:crypto";
import { isIP } from "node:net";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { z } from "zod";
import { BACKDATE_MS, EC, escapeName, keyToPem, newAuthority, newKeys, serialNumber } from "../../common/authority";
import type { Authority, KeyPair } from "./world";

const DAY_MS = 86_400_000;
const LEAF_DAYS = 365;
const keyPairSchema = z.object({ cert: z.string(), key: z.string() });

/**
 * A new authority.
 * @param cn common name of its own certificate
 */
export async function createAuthority(cn: string, now = Date.now()): Promise<Authority> {
  const { certificate, privateKey, key } = await newAuthority(cn, now);
  return authority(certificate, privateKey, key, now);
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
  const sign = async (subject: string, usage: x509.ExtendedKeyUsage, extra: x509.Extension[], expired = false): Promise<KeyPair> => {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      issuer: ca.subject,
      subject,
      notBefore: new Date(expired ? now - LEAF_DAYS * DAY_MS : now - BACKDATE_MS),
      notAfter: new Date(expired ? now - DAY_MS : now + LEAF_DAYS * DAY_MS),
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
    issue: (names, { expired = false } = {}) =>
      sign(
        `CN=${escapeName(names[0] ?? "lab")}`,
        x509.ExtendedKeyUsage.serverAuth,
        [new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: isIP(value) ? ("ip" as const) : ("dns" as const), value })))],
        expired,
      ),
    issueClient: (cn, orgs) => sign([...orgs.map((o) => `O=${escapeName(o)}`), `CN=${escapeName(cn)}`].join(","), x509.ExtendedKeyUsage.clientAuth, []),
    save: () => ({ cert: caPem, key: caKeyPem }),
  };
}
