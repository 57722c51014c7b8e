import { isIP } from 'node:net';
import { Type, type Static } from '@sinclair/typebox';
import type { JsonPath } from '@sparc/protocol/document';
import { ADDRESSES_MAX, MEMBERS_MAX } from '@sparc/protocol/roster';
import { DEFAULTS } from './defaults.js';

const Key = Type.String({ pattern: '^[0-9a-f]{64}$' });
const Address = Type.String({
  pattern: '^(\\[[0-9a-fA-F:.]{2,45}\\]|[A-Za-z0-9.-]{1,253}):[0-9]{1,5}$',
  description: 'HOST:PORT, such as 10.0.0.5:7400, with an IPv6 address in brackets',
});

/** The section `mesh` of a gateway's configuration. */
export const meshSchema = Type.Object(
  {
    listen: Address,
    discover: Type.Boolean({ default: DEFAULTS.meshDiscover }),
    peers: Type.Record(Key, Type.Array(Address, { minItems: 1, maxItems: ADDRESSES_MAX }), {
      additionalProperties: false,
      maxProperties: MEMBERS_MAX,
      default: {},
    }),
  },
  { additionalProperties: false },
);
type RawMesh = Static<typeof meshSchema>;

/** How a gateway takes part in the mesh of its site. */
export interface MeshConfig {
  /** An IP address of this machine, and a port; 0: any free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Whether multicast DNS is used to find others, and to be found. */
  readonly discover: boolean;
  /** Where gateways are called, whatever the roster and others say: `HOST:PORT`, by public key in hex. */
  readonly peers: Readonly<Record<string, readonly string[]>>;
}

export const meshConfig = (mesh: RawMesh): MeshConfig => ({ ...mesh, listen: hostAndPort(mesh.listen) });

/** What is wrong in a section that fits the schema. */
export function meshProblems({ listen, peers }: RawMesh): { readonly at: JsonPath; readonly message: string }[] {
  const { host, port } = hostAndPort(listen);
  const problems: { at: JsonPath; message: string }[] = [];
  if (isIP(host) === 0) {
    problems.push({
      at: ['listen'],
      message: 'must have an IP address of this machine; 0.0.0.0 stands for all of them',
    });
  }
  if (port > PORT_MAX) problems.push({ at: ['listen'], message: `must have a port of 0 to ${PORT_MAX}` });
  for (const [key, addresses] of Object.entries(peers)) {
    for (const [index, address] of addresses.entries()) {
      const at = ['peers', key, index];
      if (!isDialled(hostAndPort(address).port)) problems.push({ at, message: `must have a port of 1 to ${PORT_MAX}` });
    }
  }
  return problems;
}

const PORT_MAX = 65_535;
const isDialled = (port: number): boolean => port > 0 && port <= PORT_MAX;

/** Of an address that fits the schema. */
function hostAndPort(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(address.slice(colon + 1)) };
}
