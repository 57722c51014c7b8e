import type { FastifyInstance } from 'fastify';
import { Type, type Static } from '@sinclair/typebox';
import type { Random } from '@sparc/protocol/ports';
import type { Database } from '../db/index.js';
import {
  changeUser,
  createUser,
  listUsers,
  LOGIN_NAME,
  PASSWORD_CHARACTERS_MAX,
  PASSWORD_CHARACTERS_MIN,
} from '../users/index.js';
import { answers, requireRole } from './guard.js';
import { closed, instant, Limit, RoleName, Uuid, Whole } from './schemas.js';

export interface UserRoutesDeps {
  readonly random: Random;
  readonly database: Database;
}

const UserView = closed({
  id: Uuid,
  name: Type.String(),
  role: RoleName,
  isBarred: Type.Boolean({ description: 'it cannot log in' }),
  createdUnixMs: instant('when it was made'),
  lastLoginUnixMs: Type.Optional(instant('when it logged in last')),
});
const Password = Type.String({ minLength: PASSWORD_CHARACTERS_MIN, maxLength: PASSWORD_CHARACTERS_MAX });
const NewUser = closed({ name: Type.String({ pattern: LOGIN_NAME }), role: RoleName, password: Password });
const Change = closed({
  role: Type.Optional(RoleName),
  password: Type.Optional(Password),
  isBarred: Type.Optional(Type.Boolean()),
});
const ById = closed({ id: Uuid });

const AuditPage = closed({ before: Type.Optional(Whole), limit: Limit });
const AuditView = closed({
  entries: Type.Array(
    closed({
      id: Type.Integer(),
      atUnixMs: instant('when'),
      actor: Type.String({ description: 'the name of the user, or of the command line' }),
      act: Type.String(),
      subject: Type.String(),
      detail: Type.Unknown(),
    }),
    { description: 'newest first' },
  ),
  next: Type.Optional(Type.Integer({ description: '`before` of the page of older ones' })),
});

/** Users of a tenant, and what they did: for its administrators. */
export function addUserRoutes(api: FastifyInstance, { random, database }: UserRoutesDeps): void {
  const onRequest = requireRole('administrator');

  api.get(
    '/api/v1/users',
    { onRequest, schema: answers(closed({ users: Type.Array(UserView) })) },
    async (request) => ({
      users: await database.readInTenant(request.identity.tenant, listUsers),
    }),
  );
  api.post<{ Body: Static<typeof NewUser> }>(
    '/api/v1/users',
    { onRequest, schema: { body: NewUser, ...answers(UserView, 201) } },
    async ({ identity, body }, reply) => reply.code(201).send(await createUser(database, random, identity, body)),
  );
  api.patch<{ Params: Static<typeof ById>; Body: Static<typeof Change> }>(
    '/api/v1/users/:id',
    { onRequest, schema: { params: ById, body: Change, ...answers(UserView) } },
    async ({ identity, params: { id }, body }) => changeUser(database, random, identity, id, body),
  );
  api.get<{ Querystring: Static<typeof AuditPage> }>(
    '/api/v1/audit',
    { onRequest, schema: { querystring: AuditPage, ...answers(AuditView) } },
    async ({ identity, query: { before, limit } }) => {
      const rows = await database.readInTenant(identity.tenant, ({ query }) =>
        query
          .selectFrom('audit')
          .selectAll()
          .$if(before !== undefined, (all) => all.where('id', '<', before ?? 0))
          .orderBy('id', 'desc')
          .limit(limit)
          .execute(),
      );
      const oldest = rows.at(-1);
      return {
        entries: rows.map(({ id, at, actor, act, subject, detail }) => ({
          ...{ id, atUnixMs: at.getTime(), actor, act, subject, detail },
        })),
        ...(rows.length === limit && oldest !== undefined && { next: oldest.id }),
      };
    },
  );
}
