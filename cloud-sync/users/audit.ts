import type { Transaction } from '../db/index.js';
import type { Identity } from './roles.js';

/** Writes who did what into the tenant's audit, in the transaction that does it. Nothing secret is in `detail`. */
export async function audit(
  { query }: Pick<Transaction, 'query'>,
  { tenant, name }: Pick<Identity, 'tenant' | 'name'>,
  act: string,
  subject: string,
  detail: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const entry = { tenant_id: tenant, actor: name, act, subject, detail: JSON.stringify(detail) };
  await query.insertInto('audit').values(entry).execute();
}
