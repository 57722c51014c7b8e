import { isIPv6 } from 'node:net';
import type { CloudConfig } from '../config/index.js';
import { Enrolment, type EnrolmentDeps } from '../enrolment/index.js';
import { siteSigner } from '../identity/index.js';

export interface EnrolmentParts extends Omit<EnrolmentDeps, 'signerOf'> {
  /** That the keys by which the cloud signs for its sites are made of. */
  readonly secret: Uint8Array;
}

/** Enrolment by an installation with this configuration. */
export function enrolmentOf(config: CloudConfig, { secret, ...deps }: EnrolmentParts): Enrolment {
  const { PUBLIC_HOST, PUBLIC_MQTT_PORT, MQTT_PORT, GATEWAY_PORT } = config;
  const host = isIPv6(PUBLIC_HOST) ? `[${PUBLIC_HOST}]` : PUBLIC_HOST;
  const signerOf = (tenant: string, site: string) => siteSigner(secret, tenant, site);
  return new Enrolment(
    { ...deps, signerOf },
    { brokerUrl: `mqtts://${host}:${PUBLIC_MQTT_PORT ?? MQTT_PORT}`, gatewayUrl: `https://${host}:${GATEWAY_PORT}` },
  );
}
