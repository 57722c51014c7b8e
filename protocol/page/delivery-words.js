import { h } from './dom.js';
import { ago } from './times.js';

/** Says in plain words how far a gateway is, as proof of delivery has it: cells of a table, { level?, words }. */

const REVISION_START = 8;

export function policyCell({ policy }, newestNumber, nowMs) {
  if (policy === undefined) return { level: 'bad', words: 'none' };
  const { number, revision, sinceUnixMs } = policy;
  const name = number === undefined ? revision.slice(0, REVISION_START) : `revision ${number}`;
  const isBehind = number !== undefined && number < newestNumber;
  return { level: isBehind ? 'warn' : undefined, words: `${name}, for ${ago(nowMs - sinceUnixMs)}` };
}

export function revocationCell({ revocation: { number, sinceUnixMs } }, nowMs) {
  return { words: number === 0 ? 'none' : `${number}, ${ago(nowMs - sinceUnixMs)} ago` };
}

export const cell = (column, { level, words }) =>
  h(
    'td',
    { 'data-column': column },
    level === undefined ? words : h('span', { class: 'badge', 'data-level': level }, words),
  );
