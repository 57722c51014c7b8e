/** Who speaks over a link to the cloud. */
export interface Carrier {
  /** A UUID. */
  readonly tenant: string;
  /** Id of the site file. */
  readonly site: string;
  /** The gateway's Ed25519 public key in hex. */
  readonly gateway: string;
}

/** What a gateway says to the cloud, and the cloud to a gateway. */
export const UP = ['hello', 'batch', 'parts', 'answer'] as const;
export const DOWN = ['want', 'ack', 'batch', 'part', 'request'] as const;
export type Up = (typeof UP)[number];
export type Down = (typeof DOWN)[number];

const ROOT = 'sparc/1';
const CARRIER = /^sparc\/1\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/([a-z0-9._-]{1,64})\/([0-9a-f]{64})\//;

/** Messages of one kind of any gateway, as a filter for whoever takes them. */
export const upFilter = (what: Up): string => `${ROOT}/+/+/+/up/${what}`;

export const upTopic = (carrier: Carrier, what: Up): string => `${prefix(carrier)}up/${what}`;
export const downTopic = (carrier: Carrier, what: Down): string => `${prefix(carrier)}down/${what}`;

/** The only filter that a gateway may subscribe to. */
export const downFilter = (carrier: Carrier): string => `${prefix(carrier)}down/+`;

/** Whose message it is, and what it is; undefined for a topic that is not one of a gateway's own. */
export function readUpTopic(topic: string): { readonly carrier: Carrier; readonly what: Up } | undefined {
  const [all = '', tenant, site, gateway] = CARRIER.exec(topic) ?? [];
  const what = UP.find((each) => topic === `${all}up/${each}`);
  if (tenant === undefined || site === undefined || gateway === undefined || what === undefined) return undefined;
  return { carrier: { tenant, site, gateway }, what };
}

/** What the cloud says to this carrier; undefined for any other topic. */
export const readDownTopic = (carrier: Carrier, topic: string): Down | undefined =>
  DOWN.find((each) => topic === downTopic(carrier, each));

const prefix = ({ tenant, site, gateway }: Carrier): string => `${ROOT}/${tenant}/${site}/${gateway}/`;
