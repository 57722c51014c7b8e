import { ERRORS } from '@sparc/protocol/errors';
import {
  COMMON_DETAIL,
  EVENT_GROUPS,
  FIELDS,
  ONVIF_DENIAL_OF,
  PASSING_EVENTS,
  REASON_TEXTS,
  REASONS,
  type EventDescription,
} from '@sparc/protocol/events';

const cell = (text: string) => text.replaceAll('|', '\\|');

/** ERRORS.md: every stable code, what it means, what to do. */
export function errorsDocument(): string {
  const rows = Object.entries(ERRORS)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, { meaning, action }]) => `| \`${code}\` | ${cell(meaning)} | ${cell(action)} |`);
  return [
    '# Error codes',
    '',
    'Generated from `protocol/errors` by `npm run docs`. Codes are stable: never renamed, never reused.',
    '',
    '| code | what it means | what to do |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

/** EVENTS.md: every event a gateway records with what it carries, and every reason of a decision in the order of its rank. */
export function eventsDocument(): string {
  const groups = Object.entries<Record<string, EventDescription>>(EVENT_GROUPS).flatMap(([title, events]) => [
    `## ${title}`,
    '',
    '| event | severity | ONVIF topic | meaning | carries |',
    '|---|---|---|---|---|',
    ...Object.entries(events).map(([name, event]) => `| \`${name}\` | ${eventCells(event).join(' | ')} |`),
    '',
  ]);
  return [
    '# Events',
    '',
    'Generated from `protocol/events` by `npm run docs`. Names are stable: never renamed, never reused. What ends in a',
    'question mark may be absent.',
    '',
    ...groups,
    '## Events that pass',
    '',
    'Gateways empty them seven days after the cloud has them: when, by whom and that they were stays, signed, with a digest of',
    'what they said. All others stay whole.',
    '',
    [...PASSING_EVENTS].map((name) => `\`${name}\``).join(', '),
    '',
    '## Fields',
    '',
    'Any event may name in `causeId` the entry it follows from.',
    '',
    '| field | what it is |',
    '|---|---|',
    ...Object.entries(FIELDS).map(([name, text]) => `| \`${name}\` | ${text} |`),
    ...Object.entries(COMMON_DETAIL).map(([name, text]) => `| \`detail.${name}\` | ${text} |`),
    '',
    '## Reasons of a denial, in the order of their rank',
    '',
    '| | reason | in the words for people | on the wire of ONVIF |',
    '|---|---|---|---|',
    ...REASONS.map(
      (reason, at) => `| ${at + 1} | \`${reason}\` | ${REASON_TEXTS[reason]} | \`${ONVIF_DENIAL_OF[reason]}\` |`,
    ),
    '',
  ].join('\n');
}

function eventCells({ severity, topic, value, meaning, fields = [], detail = {} }: EventDescription): string[] {
  const state = value === undefined ? '' : ` = ${value}`;
  const names = fields.map((field) => `\`${field}\``).join(', ');
  const details = Object.entries(detail).map(([name, text]) => `\`detail.${name}\`: ${text}`);
  return [
    severity,
    topic === undefined ? '' : `\`tns1:${topic}\`${state}`,
    cell(meaning),
    [...(names === '' ? [] : [names]), ...details].map(cell).join('<br>'),
  ];
}
