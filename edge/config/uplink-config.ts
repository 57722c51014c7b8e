import { resolve } from 'node:path';
import { Type, type Static } from '@sinclair/typebox';

/** The section `uplink` of a gateway's configuration. */
export const uplinkSchema = Type.Object(
  {
    url: Type.String({
      pattern: '^mqtts://[^/@?#]{1,255}$',
      description: 'mqtts://HOST:PORT: what goes to the cloud is over TLS, whoever is between',
    }),
    tenant: Type.String({
      pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
      description: 'the id of the tenant, a UUID in lower case',
    }),
    cloudKey: Type.String({
      pattern: '^[0-9a-f]{64}$',
      description: 'the Ed25519 public key by which the cloud signs for this site, 64 hexadecimal digits',
    }),
    certificateFile: Type.String({ minLength: 1 }),
    keyFile: Type.String({ minLength: 1 }),
    authorityFile: Type.String({ minLength: 1 }),
  },
  { additionalProperties: false },
);

/** How a gateway reaches the cloud; paths absolute. */
export interface UplinkConfig {
  readonly url: string;
  readonly tenant: string;
  /** In hex. */
  readonly cloudKey: string;
  /** This gateway's certificate and its key, and the certificates that the broker's must lead to, all PEM. */
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly authorityFile: string;
}

/** `folder`: that relative paths are in. */
export const uplinkConfig = (uplink: Static<typeof uplinkSchema>, folder: string): UplinkConfig => ({
  ...uplink,
  certificateFile: resolve(folder, uplink.certificateFile),
  keyFile: resolve(folder, uplink.keyFile),
  authorityFile: resolve(folder, uplink.authorityFile),
});
