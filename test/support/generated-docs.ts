import { ERRORS } from '@sparc/protocol/errors';
import { EVENTS, REASONS, type EventDescription } from '@sparc/protocol/events';

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

/** EVENTS.md: every event a gateway records, and every reason of a decision in the order of its rank. */
export function eventsDocument(): string {
  const rows = Object.entries<EventDescription>(EVENTS).map(
    ([name, { severity, topic, meaning }]) =>
      `| \`${name}\` | ${severity} | ${topic ? `\`tns1:${topic}\`` : ''} | ${cell(meaning)} |`,
  );
  return [
    '# Events',
    '',
    'Generated from `protocol/events` by `npm run docs`. Names are stable: never renamed, never reused.',
    '',
    '| event | severity | ONVIF topic | meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
    '## Reasons of a denial, in the order of their rank',
    '',
    ...REASONS.map((reason) => `1. \`${reason}\``),
    '',
  ].join('\n');
}
