/**
 * People who use the cloud's console and API: passwords, logins, roles, and the audit of what they do.
 * @packageDocumentation
 */
export { audit } from './audit.js';
export {
  LOGIN_ADDRESS_FORGIVEN_MS,
  LOGIN_ADDRESS_FREE_FAILURES,
  LOGIN_FREE_FAILURES,
  LOGIN_WAIT_MAX_MS,
  LOGIN_WAIT_MIN_MS,
  LoginPace,
} from './login-pace.js';
export {
  addressBlock,
  LOGIN_CHECK_WAIT_MAX_MS,
  LOGIN_CHECKS_ADDRESS_MAX,
  LOGIN_CHECKS_MAX,
  LoginSlots,
} from './login-slots.js';
export { madePassword, PASSWORD_CHARACTERS_MAX, PASSWORD_CHARACTERS_MIN } from './password.js';
export { hasRole, ROLES, type Identity, type Role } from './roles.js';
export { expireSessions, Sessions, type Renewal, type Session } from './sessions.js';
export {
  changeUser,
  createUser,
  findUser,
  listBarredByRestore,
  listUsers,
  LOGIN_NAME,
  type NewUser,
  type User,
  type UserChange,
} from './users.js';
