import { cardFormat, identifierKey, RAW_FORMAT_ID } from '../card-format/index.js';
import { nearestName, type JsonPath } from '../document/index.js';
import { SparcError } from '../errors/index.js';
import {
  isTimeZone,
  pinAloneProfiles,
  ValidityClock,
  type Credential,
  type CredentialIdentifier,
} from '../policy/index.js';
import { CARD_FORMAT_IDS, valuesMax } from './card-formats.js';
import type { SiteCheck } from './site-check.js';

/** With six digits and a thousand holders, a guess is right once in a thousand times. */
const PIN_ALONE_LENGTH_MIN = 6;

/** Formats and profiles. */
export function checkProfiles(check: SiteCheck): void {
  checkCardFormats(check);
  for (const [index, profile] of check.entries('accessProfiles')) {
    const policyOnce = check.once('is the access point and schedule that');
    for (const [position, { accessPoint, schedule, may }] of profile.policies.entries()) {
      const path = ['accessProfiles', index, 'policies', position];
      check.refer('accessPoints', accessPoint, [...path, 'accessPoint']);
      check.refer('schedules', schedule, [...path, 'schedule']);
      policyOnce(`${accessPoint} ${schedule}`, path, `policies[${position}]`);
      const point = check.find('accessPoints', accessPoint);
      if (may?.includes('toggle') === true && point !== undefined && point.toggleWindowMs === undefined) {
        check.refuse([...path, 'may'], `toggles nothing: \`${accessPoint}\` has no toggleWindowMs`);
      }
    }
  }
}

/**
 * Credentials of holders. `pins`: owners of PINs that say by themselves who comes, of credentials that were checked before;
 * whether a card is theirs, too, is not looked at.
 */
export function checkCredentials(check: SiteCheck, pins = new Map<string, string>()): void {
  const active = new Set([...check.entries('cardFormats')].map(([, { format }]) => format));
  const zone = check.site?.timeZone ?? '';
  const time = new ValidityClock(isTimeZone(zone) ? zone : 'UTC');
  const keyOnce = check.once('is the identifier that');
  const pinOnce = check.once('says by itself who comes at an access point with cardOrPin, and is the PIN that', pins);
  const alone = pinAloneProfiles(
    [...check.entries('accessPoints')].map(([, point]) => point),
    [...check.entries('accessProfiles')].map(([, profile]) => profile),
  );
  for (const [index, credential] of check.entries('credentials')) {
    const path = ['credentials', index];
    check.refer('credentialHolders', credential.holder, [...path, 'holder']);
    for (const [position, profile] of credential.accessProfiles.entries()) {
      check.refer('accessProfiles', profile, [...path, 'accessProfiles', position]);
    }
    if (new Set(credential.accessProfiles).size < credential.accessProfiles.length) {
      check.refuse([...path, 'accessProfiles'], 'names a profile twice');
    }
    const { pin, duressPin } = credential;
    if (duressPin !== undefined && pin === undefined) check.refuse([...path, 'duressPin'], 'needs a pin beside it');
    else if (duressPin !== undefined && duressPin === pin) check.refuse([...path, 'duressPin'], 'is the PIN itself');
    if (credential.accessProfiles.some((profile) => alone.has(profile))) {
      checkPinAlone(check, credential, path, (digits, at) => pinOnce(digits, at, `credential \`${credential.id}\``));
    }
    checkValidity(check, credential, path, time);
    for (const [position, identifier] of credential.identifiers.entries()) {
      const at = [...path, 'identifiers', position];
      const key = checkIdentifier(check, identifier, at, active);
      if (key !== undefined) keyOnce(key, at, `credential \`${credential.id}\``);
    }
  }
}

/** Emergency credentials. */
export function checkEmergencies(check: SiteCheck): void {
  const emergencyOnce = check.once('is the credential that');
  for (const [index, { credential, accessPoints }] of check.entries('emergencyCredentials')) {
    const path = ['emergencyCredentials', index];
    check.refer('credentials', credential, [...path, 'credential']);
    emergencyOnce(credential, [...path, 'credential'], `emergencyCredentials[${index}]`);
    const { status = 'active', validFrom, validTo, holder = '' } = check.find('credentials', credential) ?? {};
    if (check.find('credentialHolders', holder)?.status === 'suspended') {
      check.refuse([...path, 'credential'], `is of holder \`${holder}\`, who is suspended`);
    }
    if (status !== 'active') check.refuse([...path, 'credential'], `is ${status}, so it is none for an emergency`);
    if (validFrom !== undefined || validTo !== undefined) {
      check.refuse(
        [...path, 'credential'],
        'has a validity, which no longer counts when policy is lost: name one without',
      );
    }
    for (const [position, id] of accessPoints.entries()) {
      check.refer('accessPoints', id, [...path, 'accessPoints', position]);
    }
  }
}

function checkPinAlone(
  check: SiteCheck,
  pins: Pick<Credential, 'pin' | 'duressPin'>,
  path: JsonPath,
  once: (digits: string, at: JsonPath) => void,
): void {
  for (const field of ['pin', 'duressPin'] as const) {
    const digits = pins[field];
    if (digits === undefined) continue;
    const at = [...path, field];
    if (digits.length >= PIN_ALONE_LENGTH_MIN) once(digits, at);
    else {
      check.refuse(
        at,
        `has fewer than ${PIN_ALONE_LENGTH_MIN} digits, and says by itself who comes at an access point with cardOrPin`,
      );
    }
  }
}

function checkCardFormats(check: SiteCheck): void {
  const active = new Set<string>();
  for (const [index, { format: id, facilityCodes }] of check.entries('cardFormats')) {
    const path = ['cardFormats', index];
    const format = cardFormat(id);
    if (format === undefined && id !== RAW_FORMAT_ID) {
      check.refuse([...path, 'format'], 'is no known card format', { suggestion: nearestName(id, CARD_FORMAT_IDS) });
    }
    if (active.has(id)) check.refuse([...path, 'format'], 'is in the list already');
    else if (active.has(RAW_FORMAT_ID)) {
      check.refuse([...path, 'format'], 'comes after `raw`, which accepts every read, and would never be tried');
    }
    active.add(id);
    const max = format === undefined ? undefined : valuesMax(format).facility;
    if (facilityCodes !== undefined && format !== undefined && max === undefined) {
      check.refuse([...path, 'facilityCodes'], `is of no use: ${id} has no facility code`);
    } else if (facilityCodes?.some((code) => code > (max ?? 0)) === true) {
      check.refuse([...path, 'facilityCodes'], `must be 0 to ${max ?? 0} in ${id}`);
    }
  }
}

function checkValidity(check: SiteCheck, credential: Credential, path: JsonPath, time: ValidityClock): void {
  const { validFrom, validTo } = credential;
  const from = validFrom === undefined ? undefined : time.validFrom(validFrom);
  const to = validTo === undefined ? undefined : time.validTo(validTo);
  if (validFrom !== undefined && from === undefined)
    check.refuse([...path, 'validFrom'], 'is no day or time of a calendar');
  if (validTo !== undefined && to === undefined) check.refuse([...path, 'validTo'], 'is no day or time of a calendar');
  if (from !== undefined && to !== undefined && from >= to) {
    check.refuse([...path, 'validTo'], 'must be later than validFrom');
  }
}

/** Returns the key under which it is found, unless it is refused. */
function checkIdentifier(
  check: SiteCheck,
  identifier: CredentialIdentifier,
  path: JsonPath,
  active: ReadonlySet<string>,
): string | undefined {
  if ('format' in identifier) {
    const format = cardFormat(identifier.format);
    if (format === undefined) {
      const suggestion = nearestName(identifier.format, CARD_FORMAT_IDS);
      check.refuse([...path, 'format'], 'is no known card format', { suggestion });
      return undefined;
    }
    if (!active.has(identifier.format)) {
      check.refuse([...path, 'format'], 'is not among the cardFormats, so no reader would ever decode it');
    }
    if (typeof identifier.number === 'number' && !Number.isSafeInteger(identifier.number)) {
      check.refuse([...path, 'number'], 'has more digits than YAML keeps of a number: put it in quotes');
      return undefined;
    }
    const { issue: issueMax } = valuesMax(format);
    if (identifier.issue !== undefined && identifier.issue > (issueMax ?? -1)) {
      check.refuse(
        [...path, 'issue'],
        issueMax === undefined ? `does not exist in ${format.id}` : `must be 0 to ${issueMax}`,
      );
    }
  }
  try {
    return identifierKey(identifier);
  } catch (error) {
    if (!(error instanceof SparcError)) throw error;
    check.refuse(path, `is refused: ${error.message}`);
    return undefined;
  }
}
