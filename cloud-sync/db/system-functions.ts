/**
 * Every function of the database that works across tenants, and why it must: a transaction of a tenant can call none of
 * them, and whoever can call them sees no table.
 */
export const SYSTEM_FUNCTIONS = {
  sealing_mark: 'the key that seals is of the whole installation',
  tenant_create: 'a new tenant is nobody yet who could make itself',
  tenant_list: 'the scheduler, the publisher and an operator on the command line go through all tenants',
  claim_find: 'who shows a claim code is of no tenant before it was looked up',
  user_find: 'who logs in is of no tenant before the name was looked up',
  sessions_expire: 'the scheduler forgets the logins of all tenants that have ended',
  job_begin: 'the scheduler does each job once a period, in whichever process',
  job_fail: 'and again where it failed',
  events_make_month: 'partitions are shared by tenants',
  policy_objects_analyze: 'the table of objects is shared by tenants',
  events_expire: 'a partition goes as a whole when no tenant needs it any more',
} as const;

export type SystemPurpose = keyof typeof SYSTEM_FUNCTIONS;
