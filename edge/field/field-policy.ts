import type { SitePlan } from '@sparc/protocol/policy';
import type { EmergencyView, PolicyView } from '../access/index.js';

/** What the field decides by. */
export type FieldPolicy =
  | {
      readonly kind: 'policy';
      readonly view: PolicyView;
      readonly plan: SitePlan;
      /** Of which `plan` is this gateway's part. Absent: all of it is. */
      readonly site?: SitePlan;
      /** When its authority confirmed it last. Absent: it counts from when it is put in force. */
      readonly confirmedUnixMs?: number;
    }
  /** No generation is readable. How doors are wired may still be known, so that exit requests work. */
  | { readonly kind: 'none'; readonly emergency?: EmergencyView & { readonly plan: SitePlan } };

export const NO_POLICY: FieldPolicy = { kind: 'none' };

/** The revision that grants are recorded under; undefined under `no_policy`. */
export const revisionOf = (policy: FieldPolicy): string | undefined =>
  policy.kind === 'policy' ? policy.view.revision : undefined;
