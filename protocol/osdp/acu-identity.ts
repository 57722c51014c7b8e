import { alarm } from './acu-link.js';
import type { AcuDraft } from './acu-state.js';

/** Remembers who answers, and raises an alarm when somebody else does: it was replaced, or two PDs have one address. */
export function noteIdentity(draft: AcuDraft, kind: 'pdid' | 'cUID', identity: string): void {
  const known = draft[kind];
  draft[kind] = identity;
  if (known === undefined || known === identity) return;
  alarm(draft, 'ERR_OSDP_ADDRESS_CONFLICT', `another device answers: ${kind} was ${known}, now ${identity}`);
}
