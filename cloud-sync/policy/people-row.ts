import type { Credential, CredentialHolder } from '@sparc/protocol/policy';

/** The columns of a table of people, in any order; a row is a holder, a credential of one, or both. */
export const PEOPLE_COLUMNS = {
  holder: 'id of the holder',
  name: 'of the holder',
  holderStatus: '`active` or `suspended`',
  clearance: '0 to 5',
  escortRequired: '`true` or `false`',
  credential: 'id of the credential',
  status: 'of the credential: `active`, `lost`, `stolen` …',
  format: 'of the card, as `h10301`',
  facility: 'of the card',
  number: 'of the card',
  issue: 'of the card',
  bits: 'how many, of an identifier that is not decoded',
  value: 'in hex, of an identifier that is not decoded',
  pin: '4 to 10 digits',
  validFrom: 'day, or day and time, of the site',
  validTo: 'day, or day and time, of the site',
  profiles: 'ids of access profiles, with spaces between them',
} as const;
export type PeopleColumn = keyof typeof PEOPLE_COLUMNS;

/** What the cells of a row say; what is left out stays as it is. */
export interface PeopleRow {
  readonly holder?: Partial<CredentialHolder> & { readonly id: string };
  readonly credential?: Partial<Credential> & { readonly id: string };
}

type Cells = Partial<Record<PeopleColumn, string>>;

/** The columns of a header, or why it is none. */
export function peopleColumns(header: readonly string[]): readonly PeopleColumn[] | string {
  const unknown = header.find((name) => !Object.hasOwn(PEOPLE_COLUMNS, name));
  if (unknown !== undefined)
    return `there is no column \`${unknown.slice(0, 64)}\`; use ${Object.keys(PEOPLE_COLUMNS).join(', ')}`;
  if (new Set(header).size < header.length) return 'a column is there twice';
  return header as readonly PeopleColumn[];
}

/** What the schemas of holder and credential then refuse is not looked at here. Or why it is no row. */
export function peopleRow(columns: readonly PeopleColumn[], cells: readonly string[]): PeopleRow | string {
  if (cells.length !== columns.length) return `has ${cells.length} cells, where there are ${columns.length} columns`;
  const row: Cells = Object.fromEntries(
    columns.map((name, index) => [name, cells[index]] as const).filter(([, cell]) => cell !== ''),
  );
  const credential = credentialOf(row);
  if (row.holder === undefined) return 'has no holder';
  if (credential !== undefined && row.credential === undefined) return 'says something of a credential without its id';
  const holder = holderOf(row);
  if (Object.keys(holder).length === 0 && row.credential === undefined) return `says nothing of \`${row.holder}\``;
  return {
    ...(Object.keys(holder).length > 0 && { holder: { id: row.holder, ...holder } }),
    ...(row.credential !== undefined && { credential: { id: row.credential, holder: row.holder, ...credential } }),
  };
}

const holderOf = ({ name, holderStatus, clearance, escortRequired }: Cells): Partial<CredentialHolder> =>
  given({
    name,
    status: holderStatus,
    clearance: number(clearance),
    escortRequired: escortRequired === undefined ? undefined : truth(escortRequired),
  });

/** Undefined where no cell says anything of one. */
function credentialOf(row: Cells): Partial<Credential> | undefined {
  const { status, format, facility, issue, bits, value, pin, validFrom, validTo, profiles } = row;
  const identifier = given({
    format,
    facility: number(facility),
    number: row.number,
    issue: number(issue),
    bits: number(bits),
    value,
  });
  const all = given({
    status,
    identifiers: Object.keys(identifier).length > 0 ? [identifier] : undefined,
    pin,
    validFrom,
    validTo,
    accessProfiles: profiles?.split(/\s+/),
  });
  return Object.keys(all).length > 0 ? all : undefined;
}

/** A text that is no number stays one, and is refused as such. */
const number = (text: string | undefined): number | string | undefined =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : text;
const truth = (text: string): boolean | string => (text === 'true' ? true : text === 'false' ? false : text);

/** What is not checked yet: the schema says what it has to be. */
const given = (fields: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as object;
