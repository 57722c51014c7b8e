import { REASON_TEXTS, type DecisionInputs, type EventRecord } from '@sparc/protocol/events';

type Explained = Pick<EventRecord, 'name' | 'reason' | 'alsoFailed' | 'flags' | 'inputs' | 'credentialId' | 'holderId'>;

/** Why an entry says what it says, in plain words; the most important line first. Names nobody but by id. */
export function explain(record: Explained): string[] {
  const { reason, alsoFailed = [], flags = [], inputs } = record;
  const lines = [verdict(record)];
  if (reason !== undefined) lines.push(`Because: ${REASON_TEXTS[reason]} (${reason}).`);
  if (alsoFailed.length > 0) {
    lines.push('It would have failed otherwise too:', ...alsoFailed.map((each) => `  ${REASON_TEXTS[each]} (${each})`));
  }
  if (flags.length > 0) {
    lines.push('It was granted although:', ...flags.map((each) => `  ${REASON_TEXTS[each]} (${each})`));
  }
  if (inputs === undefined) return lines;
  lines.push('What was known:', ...circumstances(inputs).map((line) => `  ${line}`));
  return lines;
}

function verdict({ name, credentialId, holderId }: Explained): string {
  const who = credentialId === undefined ? 'A card that nobody has' : `Credential ${credentialId}`;
  const holder = holderId === undefined ? '' : ` of ${holderId}`;
  return `${who}${holder} ${VERDICTS.get(name) ?? `is the subject of ${name}`}.`;
}

const VERDICTS = new Map<string, string>([
  ['access.granted', 'was granted access'],
  ['access.granted.emergency', 'was granted access as an emergency credential, with no policy'],
  ['access.granted.facility', 'was granted access for its facility code alone, with no policy'],
  ['access.denied', 'was denied access'],
  ['access.pin_pending', 'was asked for its PIN'],
  ['access.second_person_pending', 'was asked for a second person'],
  ['access.escort_pending', 'was asked for an escort'],
  ['access.host_pending', 'passed all checks of the gateway, and the host was asked'],
]);

function circumstances(inputs: NonNullable<EventRecord['inputs']>): string[] {
  const { atUnixMs, timeQuality, policyRevision, direction, linkSecure, linkTampered, readAgeMs, pin } = inputs;
  return [
    `the time was ${new Date(atUnixMs).toISOString()} (clock ${timeQuality})`,
    policyRevision === '' ? 'no policy was readable' : `policy revision ${policyRevision} was in force`,
    `the access point is an ${direction}`,
    `the link to the reader was ${linkSecure ? 'secure' : 'NOT secure'}${linkTampered ? ' and TAMPERED with' : ''}`,
    `the card had been read at most ${Math.round(readAgeMs)} ms before`,
    `PIN: ${PIN_TEXTS[pin]}${inputs.lockedOut ? '; locked out at this reader' : ''}`,
    ...(inputs.doorMode === undefined ? [] : [`the door was in mode ${inputs.doorMode}`]),
    ...(inputs.interlockBusy === true ? ['another door of the interlock was not secure'] : []),
    ...(inputs.partner === undefined ? [] : [`the second person was ${inputs.partner.holderId}`]),
    ...(inputs.escort === undefined ? [] : [escortText(inputs.escort)]),
    ...(inputs.hostAnswer === undefined ? [] : [HOST_TEXTS[inputs.hostAnswer]]),
  ];
}

const PIN_TEXTS = {
  none: 'none was compared',
  right: 'the right one',
  wrong: 'a wrong one',
  duress: 'the one for DURESS',
} as const;

const escortText = ({ holderId, visitorsCount }: NonNullable<DecisionInputs['escort']>): string =>
  `the escort was ${holderId}, with ${visitorsCount} visitor${visitorsCount === 1 ? '' : 's'} on that card`;

const HOST_TEXTS = {
  allowed: 'the host agreed',
  denied: 'the host refused',
  none: 'the host was asked and did not answer in time',
} as const;
