import { REASON_TEXTS, type AreaInput, type DecisionInputs, type EventRecord } from '@sparc/protocol/events';

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
  const isLimited = reason === 'use_limit' || alsoFailed.includes('use_limit');
  if (isLimited && inputs.usesCount === undefined) lines.push('  how often the card had been used was NOT known');
  return lines;
}

function verdict({ name, credentialId, holderId, inputs }: Explained): string {
  const nobodys = inputs?.pinAlone === undefined ? 'A card that nobody has' : 'A PIN that nobody has';
  const who = credentialId === undefined ? nobodys : `Credential ${credentialId}`;
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
  const { policyRevision, policyAgeMs, direction, linkSecure, linkTampered, readAgeMs, pin } = inputs;
  return [
    timeText(inputs),
    policyRevision === '' ? 'no policy was readable' : `policy revision ${policyRevision} was in force`,
    ...(policyAgeMs === undefined ? [] : [`its authority had confirmed it ${hours(policyAgeMs)} before`]),
    ...(inputs.revocations === undefined ? [] : [revocationText(inputs.revocations)]),
    `the access point is an ${direction}`,
    `the link to the reader was ${linkSecure ? 'secure' : 'NOT secure'}${linkTampered ? ' and TAMPERED with' : ''}`,
    ...(inputs.pinAlone === undefined ? [] : ['a PIN was typed, and no card was shown']),
    `${inputs.pinAlone === undefined ? 'the card had been read' : 'its digits had been typed'} at most ${Math.round(readAgeMs)} ms before`,
    `PIN: ${PIN_TEXTS[pin]}${inputs.lockedOut ? '; locked out at this reader' : ''}`,
    ...(inputs.doorMode === undefined ? [] : [`the door was in mode ${inputs.doorMode}`]),
    ...(inputs.interlockBusy === true ? ['another door of the interlock was not secure'] : []),
    ...passageTexts(inputs),
    ...(inputs.partner === undefined ? [] : [`the second person was ${inputs.partner.holderId}`]),
    ...(inputs.escort === undefined ? [] : [escortText(inputs.escort)]),
    ...(inputs.hostAnswer === undefined ? [] : [HOST_TEXTS[inputs.hostAnswer]]),
  ];
}

function timeText({ atUnixMs, timeQuality, clockErrorMs, clockFloorUnixMs }: DecisionInputs): string {
  const bound = clockErrorMs === undefined ? '' : `, within ${(clockErrorMs / 1_000).toFixed(1)} s`;
  const floor = clockFloorUnixMs === undefined ? '' : `; surely not before ${new Date(clockFloorUnixMs).toISOString()}`;
  return `the time was ${new Date(atUnixMs).toISOString()} (clock ${timeQuality}${bound}${floor})`;
}

const hours = (ms: number): string => `${(ms / 3_600_000).toFixed(1)} hours`;

const PIN_TEXTS = {
  none: 'none was compared',
  right: 'the right one',
  wrong: 'a wrong one',
  duress: 'the one for DURESS',
} as const;

function passageTexts({ threatLevel, location, sinceHereMs, occupancy = [], ...inputs }: DecisionInputs): string[] {
  const { pendingElsewhere, usesCount, firstCardIn, visitor } = inputs;
  return [
    ...(threatLevel === undefined ? [] : [`the threat level was ${threatLevel}`]),
    ...(location === undefined ? [] : [locationText(location)]),
    ...(sinceHereMs === undefined ? [] : [`the holder had passed here ${hours(sinceHereMs)} before`]),
    ...occupancy.flatMap(areaTexts),
    ...(visitor === undefined ? [] : [visitorText(visitor)]),
    ...(pendingElsewhere === true ? ['the holder was on the way through another door'] : []),
    ...(usesCount === undefined ? [] : [`uses that counted, those under way included: ${usesCount}`]),
    ...(firstCardIn === undefined ? [] : [`somebody who may had ${firstCardIn ? '' : 'NOT '}opened the door first`]),
  ];
}

const areaTexts = ({ areaId, others, unheard, freePass }: AreaInput): string[] => [
  `people beside the holder in ${areaId}, those on their way in included: ${others}`,
  ...(unheard === true
    ? [`a gateway with doors of ${areaId} was NOT heard: others may be in it, or have left it`]
    : []),
  ...(freePass === true ? [`gateways with doors of ${areaId} had not heard each other since the holder was seen`] : []),
];

const locationText = ({ areaId, certain }: NonNullable<DecisionInputs['location']>): string =>
  `the holder was ${certain ? '' : 'perhaps '}${areaId === undefined ? 'in no area' : `in ${areaId}`}`;

const visitorText = ({ profiles, fromUnixMs, untilUnixMs }: NonNullable<DecisionInputs['visitor']>): string => {
  const [from, until] = [new Date(fromUnixMs).toISOString(), new Date(untilUnixMs).toISOString()];
  return `an operator let this visitor in from ${from} until ${until}, by ${profiles.join(', ')}`;
};

const revocationText = ({ newest, hit }: NonNullable<DecisionInputs['revocations']>): string =>
  hit === undefined
    ? `the newest revocation was ${newest}, and none ended this card`
    : `revocation ${hit === 0 ? 'without a number yet' : hit} had ended this card`;

const escortText = ({ holderId, visitorsCount }: NonNullable<DecisionInputs['escort']>): string =>
  `the escort was ${holderId}, with ${visitorsCount} visitor${visitorsCount === 1 ? '' : 's'} on that card`;

const HOST_TEXTS = {
  allowed: 'the host agreed',
  denied: 'the host refused',
  none: 'the host was asked and did not answer in time',
} as const;
