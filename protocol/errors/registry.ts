import { API_ERRORS } from './api-errors.js';
import { AUTHORITY_ERRORS } from './authority-errors.js';
import { BUNDLE_ERRORS } from './bundle-errors.js';
import { BUS_ERRORS } from './bus-errors.js';
import { CARD_ERRORS } from './card-errors.js';
import { CLAIM_ERRORS } from './claim-errors.js';
import { CLI_ERRORS } from './cli-errors.js';
import { COMMISSIONING_ERRORS } from './commissioning-errors.js';
import { CONFIG_ERRORS } from './config-errors.js';
import { COURIER_ERRORS } from './courier-errors.js';
import { DATABASE_ERRORS } from './database-errors.js';
import { DIRECTIVE_ERRORS } from './directive-errors.js';
import { GATEWAY_ERRORS } from './gateway-errors.js';
import { HOST_ERRORS } from './host-errors.js';
import { IDENTITY_ERRORS } from './identity-errors.js';
import { LEDGER_ERRORS } from './ledger-errors.js';
import { LINK_ERRORS } from './link-errors.js';
import { MESH_ERRORS } from './mesh-errors.js';
import { OSDP_ERRORS } from './osdp-errors.js';
import { POLICY_ERRORS } from './policy-errors.js';
import { SIMULATOR_ERRORS } from './simulator-errors.js';
import { USER_ERRORS } from './user-errors.js';

/** What a code means and what a person does about it; `ERRORS.md` is generated from these. */
export interface ErrorDescription {
  readonly meaning: string;
  readonly action: string;
}

/** Every stable error code of the project, `ERR_<AREA>_<WHAT>`. Codes are never reused or renamed. */
export const ERRORS = {
  ...OSDP_ERRORS,
  ...BUS_ERRORS,
  ...BUNDLE_ERRORS,
  ...CARD_ERRORS,
  ...POLICY_ERRORS,
  ...LEDGER_ERRORS,
  ...MESH_ERRORS,
  ...AUTHORITY_ERRORS,
  ...LINK_ERRORS,
  ...IDENTITY_ERRORS,
  ...CLAIM_ERRORS,
  ...DIRECTIVE_ERRORS,
  ...COURIER_ERRORS,
  ...CONFIG_ERRORS,
  ...GATEWAY_ERRORS,
  ...HOST_ERRORS,
  ...API_ERRORS,
  ...COMMISSIONING_ERRORS,
  ...DATABASE_ERRORS,
  ...USER_ERRORS,
  ...CLI_ERRORS,
  ...SIMULATOR_ERRORS,
} as const satisfies Record<`ERR_${string}`, ErrorDescription>;

export type ErrorCode = keyof typeof ERRORS;
