import { bytes, list, message, required, text, type Infer } from '../ledger/index.js';

const URL_BYTES_MAX = 300;
export const CERTIFICATE_BYTES_MAX = 4_096;
/** The gateway's own, and what lies between it and the root. */
const CHAIN_MAX = 4;

/** What a gateway takes home of the cloud beside its admission: how it reaches it, and by what both know each other. */
export const LinkGrant = message({
  /** Id, a UUID. */
  tenant: required(1, text(36)),
  /** Ed25519 public key by which the cloud signs for the site. */
  cloudKey: required(2, bytes(32)),
  /** `mqtts://HOST:PORT`. */
  brokerUrl: required(3, text(URL_BYTES_MAX)),
  /** `https://HOST:PORT`: where certificates are renewed. */
  renewalUrl: required(4, text(URL_BYTES_MAX)),
  /** That the certificates of the cloud's servers lead to, DER. */
  root: required(5, bytes(1, CERTIFICATE_BYTES_MAX)),
  /** DER, the gateway's own first. */
  certificates: list(6, bytes(1, CERTIFICATE_BYTES_MAX), CHAIN_MAX),
});
export type LinkGrant = Infer<typeof LinkGrant>;
