import { ago } from '../../protocol/page/times.js';

/** Says in plain words how far each gateway is; `/api/delivery` gives it. Cells of a table are { level?, words }. */

const QUALITY_WORDS = { synced: 'confirmed', holdover: 'holdover', unsynced: 'not confirmed', stepped: 'not believed' };

export function directivesCell({ directives }, nowMs) {
  const { appliedCount, refusedCount, unheardCount, unheardSinceUnixMs } = directives;
  const parts = [`${appliedCount} applied`];
  if (refusedCount > 0) parts.push(`${refusedCount} refused`);
  if (unheardCount > 0) parts.push(`${unheardCount} not answered for ${ago(nowMs - unheardSinceUnixMs)}`);
  return { level: unheardCount > 0 ? 'warn' : undefined, words: parts.join(', ') };
}

export function clockCell({ clock }) {
  if (clock === undefined) return { words: '' };
  const { quality, errorMs, aheadMs } = clock;
  const error = errorMs === undefined ? '' : `, ±${seconds(errorMs)} s`;
  const ahead = aheadMs === undefined || Math.abs(aheadMs) < 1 ? '' : `, ${signed(aheadMs)} s`;
  return {
    level: quality === 'synced' ? undefined : 'warn',
    words: `${QUALITY_WORDS[quality] ?? quality}${error}${ahead}`,
  };
}

export function heardCell({ isSelf, isReached }) {
  if (isSelf) return { level: 'good', words: 'this gateway' };
  return isReached ? { level: 'good', words: 'heard' } : { level: 'bad', words: 'not heard' };
}

export const newestCell = ({ newest }, nowMs) =>
  newest === undefined ? { words: 'nothing' } : { words: `${newest.cursor}, ${ago(nowMs - newest.atUnixMs)} ago` };

const seconds = (ms) => (ms < 10_000 ? (ms / 1_000).toFixed(1) : String(Math.round(ms / 1_000)));
const signed = (ms) => `${ms > 0 ? '+' : '−'}${seconds(Math.abs(ms))}`;
