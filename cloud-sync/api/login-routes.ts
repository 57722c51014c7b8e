import type { FastifyInstance } from 'fastify';
import { Type, type Static } from '@sinclair/typebox';
import { SparcError } from '@sparc/protocol/errors';
import type { Clock, Random } from '@sparc/protocol/ports';
import type { Database } from '../db/index.js';
import {
  changeUser,
  findUser,
  LoginPace,
  PASSWORD_CHARACTERS_MAX,
  PASSWORD_CHARACTERS_MIN,
  type Renewal,
  type Sessions,
} from '../users/index.js';
import { answers } from './guard.js';
import { closed, IdentityView, Nothing } from './schemas.js';

export interface LoginRoutesDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly database: Database;
  readonly sessions: Sessions;
  readonly accessMs: number;
}

const Credentials = closed({
  name: Type.String({ maxLength: 100 }),
  password: Type.String({ maxLength: PASSWORD_CHARACTERS_MAX }),
});
const Refresh = closed({ refreshToken: Type.String({ maxLength: 200 }) });
const NewPassword = closed({
  password: Type.String({ maxLength: PASSWORD_CHARACTERS_MAX }),
  newPassword: Type.String({ minLength: PASSWORD_CHARACTERS_MIN, maxLength: PASSWORD_CHARACTERS_MAX }),
});
const Tokens = closed({
  accessToken: Type.String(),
  expiresInS: Type.Integer(),
  refreshToken: Type.String({ description: 'good once' }),
  identity: IdentityView,
});

/** Passwords that are checked at a time: each takes 32 MiB, and a thread of the few there are. */
const CHECKS_MAX = 8;
const OPEN = { config: { isOpen: true } };

export function addLoginRoutes(api: FastifyInstance, deps: LoginRoutesDeps): void {
  const { clock, random, database, sessions, accessMs } = deps;
  const pace = new LoginPace(clock);
  let checksCount = 0;

  const tokens = ({ session, identity, tenantName, refreshToken }: Renewal): Static<typeof Tokens> => ({
    accessToken: api.jwt.sign(session),
    expiresInS: Math.floor(accessMs / 1_000),
    refreshToken,
    identity: { ...identity, tenantName },
  });

  /** Throws ERR_API_LOGIN_REFUSED or ERR_API_LOGIN_TOO_FAST. */
  async function find(name: string, password: string, address: string) {
    const who = `${name.toLowerCase()} ${address}`;
    const waitMs = pace.waitMs(who);
    if (waitMs > 0 || checksCount >= CHECKS_MAX) {
      const retryAfterS = Math.max(1, Math.ceil(waitMs / 1_000));
      throw new SparcError('ERR_API_LOGIN_TOO_FAST', `not before ${retryAfterS} s from now`, { retryAfterS });
    }
    checksCount += 1;
    // Before it is checked, or many could be on their way at once.
    pace.failed(who);
    try {
      const found = await findUser(database, name, password);
      if (found === undefined) throw new SparcError('ERR_API_LOGIN_REFUSED', 'the name or the password is wrong');
      pace.succeeded(who);
      return found;
    } finally {
      checksCount -= 1;
    }
  }

  api.post<{ Body: Static<typeof Credentials> }>(
    '/api/v1/login',
    { ...OPEN, schema: { body: Credentials, ...answers(Tokens) } },
    async ({ body: { name, password }, ip }) => {
      const { tenant, id } = await find(name, password, ip);
      return tokens(await sessions.open(tenant, id));
    },
  );
  api.post<{ Body: Static<typeof Refresh> }>(
    '/api/v1/token',
    { ...OPEN, schema: { body: Refresh, ...answers(Tokens) } },
    async ({ body: { refreshToken } }) => tokens(await sessions.renew(refreshToken)),
  );
  api.post<{ Body: Static<typeof Refresh> }>(
    '/api/v1/logout',
    { ...OPEN, schema: { body: Refresh, ...answers(Nothing, 204) } },
    async ({ body: { refreshToken } }, reply) => {
      await sessions.end(refreshToken);
      return reply.code(204).send();
    },
  );
  api.get('/api/v1/me', { schema: answers(IdentityView) }, async ({ identity }) => {
    const { name } = await database.inTenant(identity.tenant, ({ query }) =>
      query.selectFrom('tenants').select('name').executeTakeFirstOrThrow(),
    );
    return { ...identity, tenantName: name };
  });
  api.post<{ Body: Static<typeof NewPassword> }>(
    '/api/v1/me/password',
    { schema: { body: NewPassword, ...answers(Nothing, 204) } },
    async ({ identity, body: { password, newPassword }, ip }, reply) => {
      await find(identity.name, password, ip);
      await changeUser(database, random, identity, identity.user, { password: newPassword });
      return reply.code(204).send();
    },
  );
}
