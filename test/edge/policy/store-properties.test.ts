import fc from 'fast-check';
import t from 'tap';
import { buildSite, readSitePlan, SqlitePolicyView } from '@sparc/edge/policy';
import { identifierKey } from '@sparc/protocol/card-format';
import {
  RIGHTS_BESIDE_ENTRY,
  type AccessProfile,
  type Credential,
  type CredentialHolder,
  type RightBesideEntry,
  type SiteFile,
} from '@sparc/protocol/policy';
import { checkProperty } from '../../support/property.js';

const PIN_KEY = new Uint8Array(32).fill(7);
const POINTS = ['p0', 'p1', 'p2', 'p3'];
const SCHEDULES = ['always', 's0', 's1'];

const rightText = (profile: string, schedule: string, may: readonly RightBesideEntry[] = []): string =>
  [profile, schedule, ...may].join(' ');

const profileIds = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 5 });

const someSite: fc.Arbitrary<SiteFile> = profileIds.chain((ids) => {
  const policy = fc.record(
    {
      accessPoint: fc.constantFrom(...POINTS),
      schedule: fc.constantFrom(...SCHEDULES),
      may: fc.subarray([...RIGHTS_BESIDE_ENTRY], { minLength: 1 }),
    },
    { requiredKeys: ['accessPoint', 'schedule'] },
  );
  const profiles: fc.Arbitrary<AccessProfile>[] = ids.map((id) =>
    fc
      .uniqueArray(policy, { maxLength: 6, selector: (entry) => `${entry.accessPoint} ${entry.schedule}` })
      .map((policies) => ({ id, name: id, policies })),
  );
  const holders: fc.Arbitrary<CredentialHolder>[] = ['h0', 'h1', 'h2'].map((id) =>
    fc.record(
      {
        id: fc.constant(id),
        name: fc.string({ minLength: 1 }),
        status: fc.constantFrom<CredentialHolder['status'][]>('active', 'suspended'),
        clearance: fc.nat(5),
        escortRequired: fc.boolean(),
      },
      { requiredKeys: ['id', 'name', 'status'] },
    ),
  );
  const credential = fc.record(
    {
      holder: fc.constantFrom('h0', 'h1', 'h2'),
      status: fc.constantFrom<Credential['status'][]>('active', 'lost', 'blocked'),
      accessProfiles: fc.subarray(ids),
      pin: fc.stringMatching(/^\d{4,6}$/),
      duress: fc.boolean(),
      override: fc.boolean(),
      usesMax: fc.integer({ min: 1, max: 9 }),
      extendedTime: fc.boolean(),
      numbers: fc.uniqueArray(fc.nat(40), { minLength: 1, maxLength: 3 }),
      issue: fc.nat(3),
    },
    { requiredKeys: ['holder', 'status', 'accessProfiles', 'numbers'] },
  );
  return fc
    .tuple(fc.tuple(...profiles), fc.tuple(...holders), fc.array(credential, { maxLength: 12 }))
    .map(([accessProfiles, credentialHolders, drafts]) => {
      const taken = new Set<number>();
      const credentials = drafts.map(({ numbers, issue, pin, duress, ...rest }, index): Credential => {
        const free = numbers.filter((number) => !taken.has(number));
        for (const number of free) taken.add(number);
        return {
          id: `c${index}`,
          ...rest,
          ...(pin !== undefined && { pin }),
          ...(pin !== undefined && duress === true && { duressPin: `${pin}1` }),
          identifiers: free.map((number) =>
            number % 2 === 0
              ? { format: 'simplex-36', facility: 1, number, ...(issue !== undefined && { issue }) }
              : { bits: 32, value: number.toString(16).padStart(8, '0') },
          ),
        };
      });
      const numbered = (prefix: string) => POINTS.map((_, index) => `${prefix}${index}`);
      return {
        version: 1,
        site: { id: 'site', name: 'Site', timeZone: 'UTC' },
        cardFormats: [{ format: 'simplex-36' }],
        devices: [{ id: 'd', bus: 'b', address: 0, secureChannel: 'required', side: 'secured' }],
        readers: numbered('r').map((id, number) => ({ id, device: 'd', number })),
        inputs: [],
        outputs: numbered('o').map((id, number) => ({ id, device: 'd', number })),
        areas: [],
        doors: numbered('x').map((id, index) => ({
          id,
          name: id,
          lock: { output: `o${index}`, type: 'failSecure' },
          onGatewayLoss: 'relock',
        })),
        accessPoints: POINTS.map((id, index) => ({
          id,
          name: id,
          door: `x${index}`,
          reader: `r${index}`,
          direction: 'entry',
          authentication: 'card',
          onRecordFailure: 'deny',
        })),
        schedules: ['s0', 's1'].map((id) => ({ id, name: id, weekly: [] })),
        accessProfiles,
        credentialHolders,
        credentials,
      };
    });
});

t.test('the store answers what the site file says, for any site', async (t) => {
  checkProperty(
    fc.property(someSite, (site) => {
      const db = buildSite(site, { path: ':memory:', revision: 'r', pinKey: PIN_KEY });
      const view = new SqlitePolicyView(db, PIN_KEY);
      for (let number = 0; number <= 40; number++) {
        for (const identifier of [
          { format: 'simplex-36', facility: 1, number },
          { bits: 32, value: number.toString(16).padStart(8, '0') },
        ]) {
          const key = identifierKey(identifier);
          const owner = site.credentials.find(({ identifiers }) =>
            identifiers.some((own) => identifierKey(own) === key),
          );
          const found = view.credentialByIdentifier(key);
          const own = owner?.identifiers.find((entry) => identifierKey(entry) === key);
          const holder = site.credentialHolders.find(({ id }) => id === owner?.holder);
          const expected = owner && {
            id: owner.id,
            holderId: owner.holder,
            holderStatus: holder?.status,
            status: owner.status,
            ...(own && 'issue' in own && { issue: own.issue }),
            hasPin: owner.pin !== undefined,
            ...(owner.override === true && { override: true }),
            ...(owner.usesMax !== undefined && { usesMax: owner.usesMax }),
            ...(owner.extendedTime === true && { extendedTime: true }),
            ...(holder?.clearance && { clearance: holder.clearance }),
            ...(holder?.escortRequired === true && { escortRequired: true }),
          };
          if (JSON.stringify(found) !== JSON.stringify(expected)) throw new Error(`${key}: ${JSON.stringify(found)}`);
        }
      }
      // Rights are asked after a look-up, again, and without one.
      for (const credential of [...site.credentials].reverse()) {
        const [identifier] = credential.identifiers;
        for (const lookUp of [false, true, true]) {
          if (lookUp && identifier !== undefined) view.credentialByIdentifier(identifierKey(identifier));
          for (const point of [...POINTS, 'unknown']) {
            const rights = view
              .rights(credential.id, point)
              .map(({ profileId, scheduleId, may }) => rightText(profileId, scheduleId, may));
            const expected = site.accessProfiles
              .filter(({ id }) => credential.accessProfiles.includes(id))
              .flatMap(({ id, policies }) =>
                policies
                  .filter((entry) => entry.accessPoint === point)
                  .map(({ schedule, may }) => rightText(id, schedule, may)),
              );
            if (rights.sort().join() !== expected.sort().join()) {
              throw new Error(`${credential.id} at ${point}: ${rights.join()}`);
            }
          }
        }
        if ((view.comparePin(credential.id, credential.pin ?? '0000') === 'right') !== (credential.pin !== undefined)) {
          throw new Error(`PIN of ${credential.id}`);
        }
        const { duressPin } = credential;
        if (duressPin !== undefined && view.comparePin(credential.id, duressPin) !== 'duress')
          throw new Error(duressPin);
        if (credential.pin !== undefined && view.comparePin(credential.id, `${credential.pin}0`) !== 'wrong') {
          throw new Error(`another PIN of ${credential.id}`);
        }
      }
      if (view.rights('nobody', 'p0').length > 0 || view.comparePin('nobody', '0000') !== 'wrong')
        throw new Error('nobody');
      const { schedules, ...plan } = readSitePlan(db);
      if (JSON.stringify(plan.accessPoints) !== JSON.stringify(site.accessPoints)) throw new Error('the plan');
      if (schedules.map(({ id }) => id).join() !== SCHEDULES.join()) throw new Error('schedules of the plan');
      view.close();
    }),
    100,
  );
  t.pass();
});
