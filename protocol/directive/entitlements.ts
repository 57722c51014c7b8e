import type { ErrorCode } from '../errors/index.js';
import type { Delegation } from '../roster/index.js';
import type { Directive } from './directive.js';
import { isWithin, rightOf } from './rights.js';

/** Delegations to one operator that are kept, the newest ones; and operators. */
export const DELEGATIONS_KEPT_MAX = 16;
export const OPERATORS_MAX = 256;

/** Whether a directive counts, and how far. */
export type Verdict =
  /** `scope`: what the operator may lower; absent: everything. `name`: of the operator, as the authority calls them. */
  | { readonly isEntitled: true; readonly name: string; readonly scope?: readonly string[] }
  | { readonly isEntitled: false; readonly code: ErrorCode & `ERR_DIRECTIVE_${string}`; readonly name?: string };

/** In place of the name of an operator. */
export const AUTHORITY_NAME = 'site authority';

/**
 * What the authority of a site delegated, and what follows from it. The verdict on a directive depends on which delegations
 * are known and not on the order in which they came, so that gateways that know the same judge alike.
 */
export class Entitlements {
  /** By operator, newest first. */
  readonly #delegations = new Map<string, readonly Delegation[]>();

  /** `authority`: its public key, in hex; undefined while the gateway is a member of no site. */
  constructor(private readonly authority: string | undefined) {}

  /** True where it was not known. */
  take(delegation: Delegation): boolean {
    const { operator } = delegation;
    const known = this.#delegations.get(operator) ?? [];
    if (known.some((each) => isSame(each, delegation))) return false;
    if (!this.hasRoomFor(operator)) return false;
    const all = [...known, delegation].sort(newestFirst);
    this.#delegations.set(operator, all.slice(0, DELEGATIONS_KEPT_MAX));
    return true;
  }

  /** Whether a delegation to this key counts. One whose rights were withdrawn leaves room for another. */
  hasRoomFor(operator: string): boolean {
    return hasRights(this.#delegations.get(operator) ?? []) || this.operators.length < OPERATORS_MAX;
  }

  /** What was said last of a key; without rights where it was withdrawn. */
  newestOf(operator: string): Delegation | undefined {
    return this.#delegations.get(operator)?.[0];
  }

  /** Of each whose rights were not withdrawn what was said last; one that has expired is among them. */
  get operators(): readonly Delegation[] {
    return [...this.#delegations.values()].filter(hasRights).flatMap(([newest]) => newest ?? []);
  }

  /**
   * Judges at the instant of the entry that carries the directive: the newest delegation counts; one that takes the right
   * away later leaves what was directed before.
   */
  judge(operator: string, directive: Directive, carriedUnixMs: number): Verdict {
    if (operator === this.authority) return { isEntitled: true, name: AUTHORITY_NAME };
    const delegations = this.#delegations.get(operator);
    const [newest] = delegations ?? [];
    if (delegations === undefined || newest === undefined) {
      return { isEntitled: false, code: 'ERR_DIRECTIVE_OPERATOR_UNKNOWN' };
    }
    // Whoever dates a directive ahead is judged as of then; dating it back changes nothing.
    const atUnixMs = Math.max(carriedUnixMs, directive.issuedUnixMs);
    for (const delegation of delegations) {
      if (gives(delegation, directive, atUnixMs)) {
        const { name, scope } = delegation;
        return { isEntitled: true, name, ...(scope.length > 0 && { scope }) };
      }
      // It was in force then, so that what it replaced was not.
      if (delegation.issuedUnixMs <= atUnixMs) break;
    }
    return { isEntitled: false, code: 'ERR_DIRECTIVE_NOT_ENTITLED', name: newest.name };
  }
}

const hasRights = ([newest]: readonly Delegation[]): boolean => newest !== undefined && newest.rights.length > 0;

function gives({ rights, scope, notAfterUnixMs }: Delegation, directive: Directive, atUnixMs: number): boolean {
  if (!rights.includes(rightOf(directive)) || atUnixMs > notAfterUnixMs) return false;
  // A visit lasts no longer than the right to let anybody in.
  if (directive.kind === 'visitor' && directive.visitor.untilUnixMs > notAfterUnixMs) return false;
  return scope.length === 0 || isWithin(scope, directive);
}

/** Of two that were issued at once the one that gives less comes first. */
const newestFirst = (a: Delegation, b: Delegation): number =>
  b.issuedUnixMs - a.issuedUnixMs || a.rights.length - b.rights.length || (textOf(a) < textOf(b) ? -1 : 1);

const isSame = (a: Delegation, b: Delegation): boolean => textOf(a) === textOf(b);

const textOf = ({ operator, name, rights, issuedUnixMs, notAfterUnixMs, scope }: Delegation): string =>
  JSON.stringify([operator, name, rights, issuedUnixMs, notAfterUnixMs, scope]);
