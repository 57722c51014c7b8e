import type { PolicyView } from '../access/index.js';
import type { VisitorBook } from '../visitors/index.js';

export interface KnownPeople {
  /** Of the policy in force. */
  readonly view: () => PolicyView | undefined;
  readonly visitors: Pick<VisitorBook, 'has'>;
}

/** Whether neither the policy in force nor the list of visitors has that id; without a policy nobody can say. */
export const isUnlisted = ({ view, visitors }: KnownPeople, subject: 'credential' | 'holder', id: string): boolean =>
  view()?.has(subject, id) === false && !visitors.has(id);
