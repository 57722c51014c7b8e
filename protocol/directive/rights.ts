import type { OperatorRight } from '../roster/index.js';
import type { Directive, DirectiveKind } from './directive.js';

const RIGHT: Readonly<Record<DirectiveKind, OperatorRight>> = {
  raise: 'mode',
  release: 'mode',
  revoke: 'revoke',
  visitor: 'grant',
  forgive: 'order',
  expel: 'expel',
  door: 'order',
};

const RESTRICTIONS: ReadonlySet<DirectiveKind> = new Set(['raise', 'revoke', 'expel']);

/** Whether it takes something away, so that nothing else may keep it waiting. */
export const restricts = ({ kind }: Pick<Directive, 'kind'>): boolean => RESTRICTIONS.has(kind);

/** The right that it takes to direct it. */
export const rightOf = ({ kind }: Pick<Directive, 'kind'>): OperatorRight => RIGHT[kind];

/**
 * Whether a directive lies within the scope of an operator: by the ids it names and by nothing else, so that gateways with
 * different revisions of the policy judge alike. A release ends no other raises than those within the scope: the mode, which
 * knows them, sees to that.
 */
export function isWithin(scope: readonly string[], directive: Directive): boolean {
  const isAll = (ids: readonly string[]) => ids.every((id) => scope.includes(id));
  switch (directive.kind) {
    case 'raise':
      return directive.scope !== undefined && isAll(directive.scope);
    case 'release':
      return true;
    case 'door':
      return scope.includes(directive.door);
    case 'visitor':
      return isAll(directive.visitor.profiles);
    case 'revoke':
    case 'forgive':
    case 'expel':
      return false;
  }
}
