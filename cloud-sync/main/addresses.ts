import type { CloudConfig } from '../config/index.js';

export const at = (host: string, port: number) => ({ host, port });

/** By which gateways, and programs on this machine, call the servers inside the process. */
export const serverNames = ({ PUBLIC_HOST }: CloudConfig): readonly string[] => [
  ...new Set([PUBLIC_HOST, 'localhost', '127.0.0.1']),
];

/** Of a broker of the customer: whom it is believed by, and what the cloud shows it. */
export const brokerTrust = ({ MQTT_CA: ca, MQTT_CERT: cert, MQTT_KEY: key }: CloudConfig) => ({
  ...(ca !== undefined && { ca }),
  ...(cert !== undefined && { cert }),
  ...(key !== undefined && { key }),
});
