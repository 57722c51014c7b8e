import type { Credential, CredentialHolder, CredentialIdentifier } from '@sparc/protocol/policy';

export const DEMO_HOLDER_COUNT = 200;
export const DEMO_FACILITY_CODE = 42;
export const DEMO_CORPORATE_FACILITY_CODE = 1_234;

const FIRST_NAMES = [
  ...['Ada', 'Bruno', 'Chiara', 'Dmitri', 'Elif', 'Farid', 'Grace', 'Hugo', 'Ines', 'Jonas'],
  ...['Kofi', 'Lena', 'Mateo', 'Nadia', 'Oskar', 'Priya', 'Quentin', 'Rosa', 'Samuel', 'Tove'],
];
const LAST_NAMES = ['Almeida', 'Berg', 'Costa', 'Dubois', 'Eriksen', 'Fischer', 'Grant', 'Haddad', 'Ito', 'Jansen'];

/** People who show something when their card is presented come first in every list of tens. */
interface Story {
  readonly holder?: Partial<CredentialHolder>;
  readonly credential?: Partial<Credential>;
  readonly profiles: readonly string[];
}

const STAFF: Story = { profiles: ['staff'] };
const STORIES: readonly Story[] = [
  { profiles: ['staff', 'always-in'] },
  { profiles: ['always-in', 'server-team'], credential: { pin: '1234' } },
  { profiles: ['night-shift'] },
  { profiles: ['always-in'], credential: { status: 'lost' } },
  { profiles: ['always-in'], credential: { validTo: '2024-12-31' } },
  { profiles: ['always-in'], holder: { status: 'suspended' } },
  { profiles: ['always-in', 'server-team'], credential: { pin: '2580', status: 'stolen' } },
  { profiles: [] },
  { profiles: ['cleaning'] },
  { profiles: ['always-in'], credential: { validFrom: '2099-01-01' } },
];

function storyOf(index: number): Story {
  if (index < STORIES.length) return STORIES[index] ?? STAFF;
  if (index % 10 === 1) return { profiles: ['staff', 'server-team'], credential: { pin: String(3_000 + index) } };
  if (index % 10 === 2) return { profiles: ['night-shift'] };
  if (index % 25 === 4) return { profiles: ['staff'], credential: { validTo: '2025-06-30' } };
  if (index % 40 === 5) return { profiles: ['staff'], credential: { status: 'lost' } };
  if (index % 50 === 6) return { profiles: ['staff'], holder: { status: 'suspended' } };
  return STAFF;
}

/** Most cards are 26-bit; some are of other formats, some are known by their whole value only. */
function identifierOf(index: number): CredentialIdentifier {
  if (index % 10 === 7) {
    return { format: 'corporate-1000-35', facility: DEMO_CORPORATE_FACILITY_CODE, number: 500_000 + index };
  }
  if (index % 10 === 8) return { format: 'h10302', number: String(70_000_000_000 + index * 7_919).slice(-10) };
  if (index % 20 === 9) return { bits: 56, value: `04a1b2${(0x10_000_000 + index * 104_729).toString(16)}` };
  return { format: 'h10301', facility: DEMO_FACILITY_CODE, number: 1_000 + index };
}

/** 200 people with one card each; the same ones every time. */
export function demoPeople(): { readonly holders: CredentialHolder[]; readonly credentials: Credential[] } {
  const holders: CredentialHolder[] = [];
  const credentials: Credential[] = [];
  for (let index = 0; index < DEMO_HOLDER_COUNT; index++) {
    const first = FIRST_NAMES[index % FIRST_NAMES.length] ?? '';
    const last = LAST_NAMES[(index + Math.floor(index / FIRST_NAMES.length)) % LAST_NAMES.length] ?? '';
    const id = `${first}.${last}`.toLowerCase();
    const { holder, credential, profiles } = storyOf(index);
    holders.push({ id, name: `${first} ${last}`, status: 'active', ...holder });
    credentials.push({
      id: `card-${id}`,
      holder: id,
      status: 'active',
      identifiers: [identifierOf(index)],
      accessProfiles: [...profiles],
      ...credential,
    });
  }
  return { holders, credentials };
}
