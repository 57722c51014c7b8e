/**
 * Measures casbin and Cedar over the same credentials, rights, hours and validity. Both get what spares them work: rules
 * sharded by access point, policies parsed once, of all entities only the one that asks, the synchronous call; and the
 * credential is already identified, so they decode no card and open no store. Prints one line of JSON.
 * Arguments: credentials, decisions.
 */
import { preparsePolicySet, statefulIsAuthorized, type EntityJson } from '@cedar-policy/cedar-wasm/nodejs';
import { newCachedEnforcer, newEnforcer, newModelFromString, StringAdapter, type Enforcer } from 'casbin';
import { median, percentile, timeEach } from './bench.js';
import {
  ACCESS_POINTS_COUNT,
  accessPointId,
  answers,
  ANSWERS_COUNT,
  credentialId,
  isExpired,
  isNightProfile,
  NOON_UNIX_MS,
  pointsOf,
  presentation,
  PROFILES,
  profileId,
  profilesOf,
} from './decision-site.js';

export interface PeerFigures {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly answers: string;
}
export interface PeersFigures {
  readonly casbin: PeerFigures;
  readonly cedar: PeerFigures;
  /** A cached answer of casbin: the same card at the same door in the same minute. */
  readonly casbinCacheHitUs: number;
}

const [credentials = '', decisions = ''] = process.argv.slice(2);
const credentialsCount = Number(credentials);
const decisionsCount = Number(decisions);

const NOON_MINUTE = 720;
const validToUnixMs = (credential: number): number => Date.parse(isExpired(credential) ? '2026-01-01' : '2028-01-01');
const points = Array.from({ length: ACCESS_POINTS_COUNT }, (_, point) => point);
const profilesAt = (point: number): number[] =>
  PROFILES.map((_, profile) => profile).filter((profile) => pointsOf(profile).includes(point));

function figuresOf<T>(prepare: (index: number) => T, isGranted: (prepared: T) => boolean): PeerFigures {
  const micros = timeEach(decisionsCount, 2_000, prepare, isGranted);
  return {
    p50Us: percentile(micros, 0.5),
    p99Us: percentile(micros, 0.99),
    answers: answers(ANSWERS_COUNT, (index) => isGranted(prepare(index))),
  };
}

// casbin: one enforcer an access point, with the rules that name it and the roles of every credential.

const MODEL = `
[request_definition]
r = sub, minute, now
[policy_definition]
p = role, from, to
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.minute >= p.from && r.minute < p.to && r.now < r.sub.validTo && g(r.sub.id, p.role)
`;
const roleLines = Array.from({ length: credentialsCount }, (_, credential) =>
  [...new Set(profilesOf(credential))].map((profile) => `g, ${credentialId(credential)}, ${profileId(profile)}`),
).flat();
const ruleLines = (point: number): string[] =>
  profilesAt(point).flatMap((profile) =>
    isNightProfile(profile)
      ? [`p, ${profileId(profile)}, 1320, 1440`, `p, ${profileId(profile)}, 0, 360`]
      : [`p, ${profileId(profile)}, 480, 1080`],
  );
const enforcers: Enforcer[] = [];
for (const point of points) {
  const adapter = new StringAdapter([...ruleLines(point), ...roleLines].join('\n'));
  enforcers.push(await newEnforcer(newModelFromString(MODEL), adapter));
}
const subjects = Array.from({ length: credentialsCount }, (_, credential) => ({
  id: credentialId(credential),
  validTo: validToUnixMs(credential),
}));
const casbin = figuresOf(
  (index) => presentation(index, credentialsCount),
  ({ credential, point }) => enforcers[point]?.enforceSync(subjects[credential], NOON_MINUTE, NOON_UNIX_MS) ?? false,
);

// A hit of casbin's cache, which takes strings only.
const cached = await newCachedEnforcer(
  newModelFromString(
    MODEL.replace('r = sub, minute, now', 'r = sub, minute')
      .replace('r.now < r.sub.validTo && ', '')
      .replace('r.sub.id', 'r.sub'),
  ),
  new StringAdapter([...ruleLines(0), ...roleLines].join('\n')),
);
const hits: number[] = [];
for (let index = 0; index < 5_000; index++) {
  const before = performance.now();
  await cached.enforce(credentialId(0), String(NOON_MINUTE));
  hits.push((performance.now() - before) * 1_000);
}

// Cedar: one policy set an access point, one policy in it for each kind of hours.

const inAny = (profiles: readonly number[]): string =>
  `principal in [${profiles.map((profile) => `Profile::"${profileId(profile)}"`).join(', ')}]`;
for (const point of points) {
  const permit = (profiles: readonly number[], hours: string): string =>
    `permit (principal, action == Action::"enter", resource) when { ${hours} && context.now < principal.validTo && ${inAny(profiles)} };`;
  const night = profilesAt(point).filter(isNightProfile);
  const day = profilesAt(point).filter((profile) => !isNightProfile(profile));
  const policies = [
    ...(day.length > 0 ? [permit(day, 'context.minute >= 480 && context.minute < 1080')] : []),
    ...(night.length > 0 ? [permit(night, '(context.minute >= 1320 || context.minute < 360)')] : []),
  ];
  const answer = preparsePolicySet(accessPointId(point), { staticPolicies: policies.join('\n') });
  if (answer.type === 'failure') throw new Error(answer.errors[0]?.message);
}
const entities = Array.from({ length: credentialsCount }, (_, credential): EntityJson[] => [
  {
    uid: { type: 'Credential', id: credentialId(credential) },
    attrs: { validTo: validToUnixMs(credential) },
    parents: [...new Set(profilesOf(credential))].map((profile) => ({ type: 'Profile', id: profileId(profile) })),
  },
]);
const action = { type: 'Action', id: 'enter' };
const context = { minute: NOON_MINUTE, now: NOON_UNIX_MS };
const cedar = figuresOf(
  (index) => presentation(index, credentialsCount),
  ({ credential, point }) => {
    const answer = statefulIsAuthorized({
      principal: { type: 'Credential', id: credentialId(credential) },
      action,
      resource: { type: 'AccessPoint', id: accessPointId(point) },
      context,
      preparsedPolicySetId: accessPointId(point),
      entities: entities[credential] ?? [],
    });
    if (answer.type === 'failure') throw new Error(answer.errors[0]?.message);
    return answer.response.decision === 'allow';
  },
);

const figures: PeersFigures = { casbin, cedar, casbinCacheHitUs: median(hits) };
console.log(JSON.stringify(figures));
