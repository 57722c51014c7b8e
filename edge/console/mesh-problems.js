import { listOf } from '../../protocol/page/phrases.js';
import { apartOf, faultyLinksOf, nameOf } from './mesh-words.js';
import { problemOf } from './problems.js';

/** A gateway that restarts is back sooner. */
const SETTLES_WITHIN_MS = 10_000;
/** Entries that a neighbour does not have after this wait for somebody to look. */
const REPLICATED_WITHIN_MS = 60_000;

/** What of the mesh needs a person; `startedAtUnixMs`: since when the gateway could hear others. */
export function meshProblemsOf(mesh, catalogue, startedAtUnixMs, nowMs) {
  const { state, trouble, own, logs, roster, policy } = mesh;
  const problems = [];
  const add = (...problem) => problems.push(problemOf(catalogue, ...problem));
  if (state === 'failed') add('warning', 'The mesh does not run', trouble.code);
  const apart = apartOf(mesh).filter(
    ({ awaySinceUnixMs }) => nowMs - (awaySinceUnixMs ?? startedAtUnixMs) > SETTLES_WITHIN_MS,
  );
  if (apart.length > 0) {
    const names = listOf(apart.map(({ name }) => name));
    add('warning', `${names}: no gateway that is in reach hears ${apart.length === 1 ? 'it' : 'them'}`, 'mesh.apart', {
      message: 'Doors go on; ledgers and orders are exchanged when they are heard again.',
      action: 'Check power and network there.',
    });
  }
  for (const { ends } of faultyLinksOf(mesh)) {
    const [one, other] = ends;
    const sinceMs = Math.max(...ends.map(({ awaySinceUnixMs = startedAtUnixMs }) => awaySinceUnixMs));
    if (nowMs - sinceMs <= SETTLES_WITHIN_MS) continue;
    add('warning', `${one.name} and ${other.name} do not hear each other`, 'mesh.link_down', {
      message: 'Others carry what is between them.',
      action: 'Check the network between the two.',
    });
  }
  if (nowMs - (own?.unreplicatedSinceUnixMs ?? nowMs) > REPLICATED_WITHIN_MS) {
    add('warning', 'Events are on this gateway only', 'mesh.unreplicated', {
      message: `No other gateway has ${own.unreplicatedCount} of them: with its disk they would be lost.`,
      action: 'Bring back a link to another gateway.',
    });
  }
  for (const log of logs) {
    if (log.full !== undefined)
      add('alarm', `No more of the ledger of ${nameOf(mesh, log.author)} is taken`, 'ledger.replica_full', {
        action: 'Make room on the disk; LIMITS.md says how much there may be.',
      });
  }
  if (roster !== undefined && roster.notAfterUnixMs <= nowMs) {
    add('warning', 'The roster has expired', 'mesh.roster_expired', {
      message: 'It goes on counting.',
      action: 'Ask whoever holds the key of the site authority for a new one.',
    });
  }
  if (policy?.rejected !== undefined) {
    const { number, code } = policy.rejected;
    add('alarm', number === undefined ? 'No new policy is taken' : `Policy revision ${number} was rejected`, code);
  }
  return problems;
}
