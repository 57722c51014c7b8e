/**
 * Why a decision denied, or flagged a grant at an exit; one is primary, the others are kept beside it.
 * The order is the rank of the check in the decision (`edge/access/checks.ts`).
 */
export const REASONS = [
  'format_unknown', // 0
  'parity_error',
  'read_too_old',
  'point_unknown', // 1
  'point_disabled',
  'no_policy',
  'reader_untrusted', // 2
  'lockdown', // 3
  'point_blocked',
  'interlock_busy', // 4
  'facility_not_allowed', // 5
  'credential_unknown', // 6
  'credential_revoked', // 7
  'credential_lost',
  'credential_stolen',
  'credential_damaged',
  'credential_blocked',
  'credential_inactive',
  'credential_destroyed',
  'issue_superseded', // 8
  'holder_suspended', // 9
  'not_yet_valid', // 10
  'expired',
  'policy_stale', // 11
  'no_right', // 12
  'outside_schedule', // 13
  'clearance_too_low', // 14
  'use_limit', // 15
  'pin_required', // 16
  'pin_wrong',
  'factor_missing',
  'locked_out',
  'apb_violation', // 17
  'apb_unknown',
  'apb_free_pass',
  'occupancy_max', // 18
  'occupancy_unknown',
  'occupancy_min',
  'area_disabled',
  'second_person_required', // 19
  'second_person_same_holder',
  'second_person_timeout',
  'escort_required', // 20
  'escort_timeout',
  'escort_ratio',
  'first_card_required', // 21
  'host_denied', // 22
  'host_timeout',
  'race_lost', // 23
  'record_timeout',
  'record_failed',
  'pending_elsewhere',
  'internal_error', // any error on the way to a decision is a denial
] as const;
export type Reason = (typeof REASONS)[number];
