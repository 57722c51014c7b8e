import type { FastifyRequest } from 'fastify';
import { SparcError } from '@sparc/protocol/errors';
import { hasRole, type Identity, type Role, type Session } from '../users/index.js';
import { ErrorReply } from './error-reply.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Of routes under `/api/v1` that are not open. */
    identity: Identity;
  }
  interface FastifyContextConfig {
    /** Nobody has to be logged in. */
    isOpen?: boolean;
  }
}

declare module '@fastify/jwt' {
  interface FastifyJWT {
    payload: Session;
    user: Session;
  }
}

/** Throws ERR_API_FORBIDDEN for whoever may less. */
export function assertRole(identity: Identity, least: Role): void {
  if (hasRole(identity, least)) return;
  throw new SparcError('ERR_API_FORBIDDEN', `it takes the role ${least}, and ${identity.name} is ${identity.role}`);
}

/** The same as `onRequest` of a route. */
export const requireRole =
  (least: Role) =>
  async ({ identity }: FastifyRequest): Promise<void> =>
    assertRole(identity, least);

/** The forms of the answers of a route: of success, and of everything else. */
export const answers = (ok: object, status: 200 | 201 | 202 | 204 = 200) => ({
  response: { [status]: ok, '4xx': ErrorReply, '5xx': ErrorReply },
});
