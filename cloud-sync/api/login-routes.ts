import type { FastifyInstance } from 'fastify';
import { Type, type Static } from '@sinclair/typebox';
import { SparcError } from '@sparc/protocol/errors';
import type { Clock, Random } from '@sparc/protocol/ports';
import type { Database } from '../db/index.js';
import {
  addressBlock,
  audit,
  changeUser,
  findUser,
  LOGIN_ADDRESS_FORGIVEN_MS,
  LOGIN_ADDRESS_FREE_FAILURES,
  LoginPace,
  LoginSlots,
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

/** A refused login of one name stands in the audit, with the address that it came from. */
const LOGIN_REFUSED_TOLD_EVERY_MS = 60_000;
const OPEN = { config: { isOpen: true } };

export function addLoginRoutes(api: FastifyInstance, deps: LoginRoutesDeps): void {
  const { clock, random, database, sessions, accessMs } = deps;
  const pace = new LoginPace(clock);
  const addresses = new LoginPace(clock, { free: LOGIN_ADDRESS_FREE_FAILURES, forgivenMs: LOGIN_ADDRESS_FORGIVEN_MS });
  const slots = new LoginSlots(clock);
  /** By the names of users, of which there are not many. */
  const toldMs = new Map<string, number>();

  const tokens = ({ session, identity, tenantName, refreshToken }: Renewal): Static<typeof Tokens> => ({
    accessToken: api.jwt.sign(session),
    expiresInS: Math.floor(accessMs / 1_000),
    refreshToken,
    identity: { ...identity, tenantName },
  });

  /** Throws ERR_API_LOGIN_REFUSED or ERR_API_LOGIN_TOO_FAST. */
  async function find(name: string, password: string, ip: string) {
    const address = addressBlock(ip);
    const who = `${name.toLowerCase()} ${address}`;
    const assertPace = () => {
      const waitMs = Math.max(pace.waitMs(who), addresses.waitMs(address));
      if (waitMs > 0) throw tooFast(waitMs);
    };
    assertPace();
    const giveBack = await slots.take(address);
    if (giveBack === undefined) throw tooFast(0);
    try {
      // Others of the same may have failed while it waited.
      assertPace();
      // Before it is checked, or many could be on their way at once.
      pace.failed(who);
      const found = await findUser(database, name, password);
      if (found?.isRight === true) {
        pace.succeeded(who);
        return found;
      }
      addresses.failed(address);
      // It is not waited for: how long it takes would tell that the name is known.
      if (found !== undefined) tellRefused(found.tenant, name.toLowerCase(), ip);
      throw new SparcError('ERR_API_LOGIN_REFUSED', 'the name or the password is wrong');
    } finally {
      giveBack();
    }
  }

  /** Once a minute at most of a name: who guesses fills no audit. */
  function tellRefused(tenant: string, name: string, address: string): void {
    const nowMs = clock.monotonicMs();
    if (nowMs - (toldMs.get(name) ?? -Infinity) < LOGIN_REFUSED_TOLD_EVERY_MS) return;
    toldMs.set(name, nowMs);
    database
      .inTenant(tenant, (transaction) => audit(transaction, { tenant, name }, 'login.refused', name, { address }))
      .catch((error: unknown) => api.log.error({ err: error }, 'a refused login is not in the audit'));
  }

  api.post<{ Body: Static<typeof Credentials> }>(
    '/api/v1/login',
    { ...OPEN, schema: { body: Credentials, ...answers(Tokens) } },
    async ({ body: { name, password }, ip }) => {
      const { tenant, id } = await find(name, password, ip);
      const renewal = await sessions.open(tenant, id);
      await database.inTenant(tenant, (transaction) =>
        audit(transaction, renewal.identity, 'login', renewal.identity.name, { address: ip }),
      );
      return tokens(renewal);
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

function tooFast(waitMs: number): SparcError {
  const retryAfterS = Math.max(1, Math.ceil(waitMs / 1_000));
  return new SparcError('ERR_API_LOGIN_TOO_FAST', `not before ${retryAfterS} s from now`, { retryAfterS });
}
