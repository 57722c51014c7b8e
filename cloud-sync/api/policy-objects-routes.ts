import { Type, type Static } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { SparcError } from '@sparc/protocol/errors';
import { POLICY_KINDS, type PolicyKind, type PolicyObject } from '../policy/index.js';
import { hasRole, type Identity } from '../users/index.js';
import { answers, requireRole } from './guard.js';
import { closed, instant, Limit, SiteId } from './schemas.js';
import { POLICY_PATH, type SitePolicies } from './site-policies.js';

const Kind = Type.Unsafe<PolicyKind>({ type: 'string', enum: POLICY_KINDS, description: 'a field of the site file' });
const ObjectId = Type.String({ minLength: 1, maxLength: 64 });
const OfKind = closed({ site: SiteId, kind: Kind });
const One = closed({ site: SiteId, kind: Kind, id: ObjectId });

export const ObjectView = closed({
  kind: Kind,
  id: ObjectId,
  version: Type.Integer({ description: 'for `If-Match`, in quotes' }),
  body: Type.Unknown({ description: 'as the site file has it; of a credential without identifiers and PINs' }),
  secrets: Type.Optional(
    closed({
      identifiers: Type.Array(Type.Unknown(), { description: 'what kind each is of, without its number' }),
      pin: Type.Boolean(),
      duressPin: Type.Boolean(),
    }),
  ),
  changedUnixMs: instant('when it was changed last'),
  changedBy: Type.String(),
  revokedBy: Type.Optional(Type.String({ description: 'who revoked it last; absent where it is let in' })),
});

const Page = closed({
  after: Type.Optional(ObjectId),
  limit: Limit,
  search: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: 'the beginning of an id or a name' })),
  holder: Type.Optional(ObjectId),
});
const Put = closed({
  reinstate: Type.Boolean({
    default: false,
    description: 'lets in again whom somebody revoked, where it is saved as active',
  }),
});
const PageView = closed({ objects: Type.Array(ObjectView), next: Type.Optional(ObjectId) });

/** Of whom an operator takes care; all else of a policy is an administrator's. */
const PEOPLE: ReadonlySet<PolicyKind> = new Set(['credentialHolders', 'credentials']);

/** Objects of the draft of a site. */
export function addPolicyObjectRoutes(api: FastifyInstance, policies: SitePolicies): void {
  const path = `${POLICY_PATH}/objects/:kind`;
  const onRequest = requireRole('operator');

  api.get<{ Params: Static<typeof OfKind>; Querystring: Static<typeof Page> }>(
    path,
    { schema: { params: OfKind, querystring: Page, ...answers(PageView) } },
    async ({ identity, params: { site, kind }, query }) => {
      const { objects, ...rest } = await (await policies.draft(identity, site)).list(kind, query);
      return { objects: objects.map(objectView), ...rest };
    },
  );
  api.get<{ Params: Static<typeof One> }>(
    `${path}/:id`,
    { schema: { params: One, ...answers(ObjectView) } },
    async ({ identity, params: { site, kind, id } }, reply) => {
      const object = await (await policies.draft(identity, site)).get(kind, id);
      void reply.header('etag', etagOf(object));
      return objectView(object);
    },
  );
  api.put<{ Params: Static<typeof One>; Querystring: Static<typeof Put>; Body: unknown }>(
    `${path}/:id`,
    { onRequest, schema: { params: One, querystring: Put, ...answers(ObjectView) } },
    async ({ identity, params: { site, kind, id }, query: { reinstate: reinstates }, body, headers }, reply) => {
      assertMayChange(identity, kind);
      const wish = { version: versionOf(headers['if-match']), by: identity.name, reinstates };
      const object = await (await policies.draft(identity, site)).put(kind, id, body, wish);
      void reply.header('etag', etagOf(object));
      return objectView(object);
    },
  );
  api.delete<{ Params: Static<typeof One> }>(
    `${path}/:id`,
    { onRequest, schema: { params: One } },
    async ({ identity, params: { site, kind, id }, headers }, reply) => {
      assertMayChange(identity, kind);
      const version = versionOf(headers['if-match']);
      if (version === undefined) throw invalid('`If-Match` is missing: say which version is to go');
      await (await policies.draft(identity, site)).remove(kind, id, { version, by: identity.name });
      return reply.code(204).send();
    },
  );
}

const etagOf = ({ version }: PolicyObject): string => `"${version}"`;

function versionOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const [, version] = /^"(\d{1,15})"$/.exec(header) ?? [];
  if (version === undefined) throw invalid('`If-Match` is no version that was given');
  return Number(version);
}

const invalid = (why: string) => new SparcError('ERR_API_REQUEST_INVALID', why);

function assertMayChange(identity: Identity, kind: PolicyKind): void {
  if (PEOPLE.has(kind) || hasRole(identity, 'administrator')) return;
  throw new SparcError('ERR_API_FORBIDDEN', `${kind} are changed by an administrator, and ${identity.name} is none`);
}

const objectView = ({ changedAt, ...object }: PolicyObject) => ({ ...object, changedUnixMs: changedAt.getTime() });
