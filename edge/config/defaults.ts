/** Defaults of the gateway configuration, with units and reasons. */
export const DEFAULTS = {
  /** Beside the configuration file, so that one folder holds a gateway. */
  dataDir: './data',
  /** Bits a second: the rate every OSDP device must support (IEC 60839-11-5, 5.1), and the factory setting of most. */
  baudRate: 9_600,
  /** Loopback: the API has no login, so only this machine may reach it. */
  apiHost: '127.0.0.1',
  /** Unprivileged, and commonly free. */
  apiPort: 8_080,
  /** Gateways on one network find each other; who may connect is on the roster. */
  meshDiscover: true,
  /** Every event of a quiet day, and no poll. */
  logLevel: 'info',
} as const;
