import { checkField, selectField, textField } from '../../protocol/page/dialogs.js';

const ID = { pattern: '[a-z0-9][a-z0-9._\\-]{0,63}', autocapitalize: 'none', maxlength: '64' };
const DIGITS = { pattern: '[0-9]{1,20}', inputmode: 'numeric' };

/** What is to be known of a person. */
export const personFields = () => [
  textField('name', 'Name', { maxlength: '200' }),
  textField('id', 'Id', { ...ID, required: false, hint: 'Left empty, it is made from the name.' }),
];

/** What is to be known of a card. `profiles` and `formats` are those of the site. */
export const cardFields = ({ profiles, formats }) => [
  selectField(
    'format',
    'Format of the card',
    formats.map(({ format }) => [format, format]),
  ),
  textField('facility', 'Facility code', { ...DIGITS, required: false, hint: 'Where the format has one.' }),
  textField('number', 'Number of the card', DIGITS),
  checkField(
    'profiles',
    'May open',
    profiles.map(({ id, name }) => ({ value: id, words: name })),
  ),
];

/** A card as the site file has it. */
export function cardOf(id, holder, { format: [format], facility: [facility], number: [number], profiles = [] }) {
  const identifier = { format, ...(facility !== '' && { facility: Number(facility) }), number: numberOf(number) };
  return { id, holder, status: 'active', identifiers: [identifier], accessProfiles: profiles };
}

/** Long ones would lose digits. */
const numberOf = (text) => (Number.isSafeInteger(Number(text)) ? Number(text) : text);

/** `Ada Lovelace` is `ada.lovelace`. */
export const idOf = (name) =>
  name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, ' ')
    .trim()
    .replaceAll(' ', '.')
    .slice(0, 64);

/** A card in a few words: { level, words }. What opens a door is never told, only of which format it is. */
export function cardWords({ body, secrets }, profileNames) {
  const formats = (secrets?.identifiers ?? []).map(({ format, bits }) => format ?? `${bits} bits`).join(', ');
  const profiles = body.accessProfiles.map((id) => profileNames.get(id) ?? id).join(', ');
  const days = [body.validFrom && `from ${body.validFrom}`, body.validTo && `until ${body.validTo}`];
  const parts = [formats, secrets?.pin && 'with PIN', ...days, profiles === '' ? 'opens nothing' : profiles];
  return { level: body.status === 'active' ? 'good' : 'bad', words: parts.filter(Boolean).join(' · ') };
}
