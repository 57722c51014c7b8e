import { SparcError } from '../errors/index.js';
import { hex, list, message, required, text, uint, type Infer } from '../ledger/index.js';

/** What the authority of a site may let an operator do in its stead; a newer version may know more of them. */
export const OPERATOR_RIGHTS = {
  revoke: 'revoke credentials',
  mode: 'order lockdowns and threat levels, and lift them',
  grant: 'let visitors in for a time',
  order: 'lock and unlock doors',
  expel: 'expel gateways',
} as const;
export type OperatorRight = keyof typeof OPERATOR_RIGHTS;

const RIGHTS_MAX = 16;

/** Body of an entry of kind `delegation`. The newest one counts for a key; without rights it ends what was before. */
export const Delegation = message({
  /** Ed25519 public key of the operator, in hex. */
  operator: required(1, hex(32)),
  name: required(2, text(128)),
  rights: list(3, text(32), RIGHTS_MAX),
  issuedUnixMs: required(4, uint(2 ** 48 - 1)),
  /** From then on it gives no right. */
  notAfterUnixMs: required(5, uint(2 ** 48 - 1)),
});
export type Delegation = Infer<typeof Delegation>;

export const isOperatorRight = (right: string): right is OperatorRight => Object.hasOwn(OPERATOR_RIGHTS, right);

/** Throws ERR_MESH_DELEGATION_INVALID for what no authority should sign. */
export function assertDelegation({ operator, name, rights, issuedUnixMs, notAfterUnixMs }: Delegation): void {
  if (!/^[0-9a-f]{64}$/.test(operator)) throw invalid('an operator is named by 64 hexadecimal digits');
  if (name === '' || /\p{Cc}/u.test(name)) throw invalid('an operator has a name without control characters');
  const unknown = rights.find((right) => !isOperatorRight(right));
  if (unknown !== undefined) throw invalid(`'${unknown}' is none of ${Object.keys(OPERATOR_RIGHTS).join(', ')}`);
  if (notAfterUnixMs < issuedUnixMs) throw invalid('it would end before it begins');
}

const invalid = (message: string) => new SparcError('ERR_MESH_DELEGATION_INVALID', message);
