/** Certificate authorities of our own: an ECDSA P-256 key and the certificate that names it. */
import { webcrypto } from "node:crypto";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";

export const EC = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;
const CA_DAYS = 3650;
/** Validity starts a little in the past, as real authorities do, for clocks that disagree. */
export const BACKDATE_MS = 3_600_000;

x509.cryptoProvider.set(webcrypto);

export const newKeys = (): Promise<webcrypto.CryptoKeyPair> => webcrypto.subtle.generateKey(EC, true, ["sign", "verify"]);

/** PKCS #8. */
export async function keyToPem(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}

export const escapeName = (text: string): string => text.replace(/[\\,+"<>;=#]/g, (c) => `\\${c}`);

/** A new serial number; positive, as the standard wants it. */
export const serialNumber = (): string =>
  Buffer.from(webcrypto.getRandomValues(new Uint8Array(15)))
    .toString("hex")
    .replace(/^/, "4");

export interface OwnAuthority {
  certificate: x509.X509Certificate;
  privateKey: webcrypto.CryptoKey;
  /** `certificate` as PEM. */
  cert: string;
  /** `privateKey` as PEM. */
  key: string;
}

/**
 * A new authority, for ten years.
 * @param commonName of its own certificate
 */
export async function newAuthority(commonName: string, now = Date.now()): Promise<OwnAuthority> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${escapeName(commonName)}`,
    serialNumber: serialNumber(),
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
  return { certificate, privateKey: keys.privateKey, cert: `${certificate.toString("pem").trim()}\n`, key: await keyToPem(keys.privateKey) };
}
