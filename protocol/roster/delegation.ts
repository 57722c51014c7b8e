import { SparcError } from '../errors/index.js';
import { hex, list, message, required, text, uint, type Infer } from '../ledger/index.js';

/** What the authority of a site may let an operator do in its stead; a newer version may know more of them. */
export const OPERATOR_RIGHTS = {
  revoke: 'revoke credentials',
  mode: 'lock down, set threat levels, EVACUATE (fire doors of the whole site open), and end all of it',
  grant: 'let visitors in for a time',
  order: 'lock and unlock doors, and forgive anti-passback',
  expel: 'expel gateways',
} as const;
export type OperatorRight = keyof typeof OPERATOR_RIGHTS;

const RIGHTS_MAX = 16;
const SCOPE_MAX = 64;

/** Body of an entry of kind `delegation`. The newest one counts for a key; without rights it ends what was before. */
export const Delegation = message({
  /** Ed25519 public key of the operator, in hex. */
  operator: required(1, hex(32)),
  name: required(2, text(128)),
  rights: list(3, text(32), RIGHTS_MAX),
  issuedUnixMs: required(4, uint(2 ** 48 - 1)),
  /** From then on it gives no right. */
  notAfterUnixMs: required(5, uint(2 ** 48 - 1)),
  /** Ids of areas, doors and profiles, beyond which no right reaches. Empty: the whole site. */
  scope: list(6, text(64), SCOPE_MAX),
});
export type Delegation = Infer<typeof Delegation>;

export const isOperatorRight = (right: string): right is OperatorRight => Object.hasOwn(OPERATOR_RIGHTS, right);

/** Throws ERR_MESH_DELEGATION_INVALID for what no authority should sign. */
export function assertDelegation({ operator, name, rights, issuedUnixMs, notAfterUnixMs, scope }: Delegation): void {
  if (!/^[0-9a-f]{64}$/.test(operator)) throw invalid('an operator is named by 64 hexadecimal digits');
  if (name === '' || /\p{Cc}/u.test(name)) throw invalid('an operator has a name without control characters');
  const unknown = rights.find((right) => !isOperatorRight(right));
  if (unknown !== undefined) throw invalid(`'${unknown}' is none of ${Object.keys(OPERATOR_RIGHTS).join(', ')}`);
  const strange = scope.find((id) => !/^[a-z0-9][a-z0-9._-]{0,63}$/.test(id));
  if (strange !== undefined) throw invalid(`'${strange}' is no id of an area, a door or a profile`);
  if (notAfterUnixMs < issuedUnixMs) throw invalid('it would end before it begins');
}

const invalid = (message: string) => new SparcError('ERR_MESH_DELEGATION_INVALID', message);
