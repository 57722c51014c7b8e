import { ago } from '../../protocol/page/times.js';
import { listOf } from '../../protocol/page/phrases.js';
import { problemOf } from './problems.js';

/** A gateway that is in reach and says nothing of a directive for so long should be looked at. */
const ANSWERED_WITHIN_MS = 30_000;

/** What of the site as one needs a person. `places`: what the policy has; undefined while it is not known. */
export function siteProblemsOf({ isComplete, gateways }, places, catalogue, nowMs) {
  if (!isComplete) return [];
  const problems = [];
  const add = (...problem) => problems.push(problemOf(catalogue, ...problem));
  const having = (bus) => gateways.filter(({ buses }) => buses.includes(bus));
  for (const bus of new Set(gateways.flatMap(({ buses }) => buses))) {
    const claimants = having(bus).map(({ name }) => name);
    if (claimants.length < 2) continue;
    add('alarm', `Bus ${bus} is there twice: at ${listOf(claimants)}`, 'mesh.bus_contested', {
      action: 'Give it another id in the configuration of one of them, or expel the one that lies.',
    });
  }
  // A gateway that was never heard may have it.
  const isKnownOfAll = gateways.every(({ startedUnixMs }) => startedUnixMs !== undefined);
  for (const bus of isKnownOfAll ? (places?.buses ?? []) : []) {
    if (having(bus).length > 0) continue;
    add('warning', `Bus ${bus} is at no gateway`, 'mesh.bus_unclaimed', {
      action: 'Name it in the configuration of the gateway that has it, and start that gateway again.',
    });
  }
  for (const { name, isReached, directives } of gateways) {
    const waitsMs = nowMs - (directives.unheardSinceUnixMs ?? nowMs);
    if (!isReached || waitsMs <= ANSWERED_WITHIN_MS) continue;
    add('warning', `${name} has not answered a directive for ${ago(waitsMs)}`, 'directive.unheard', {
      message: 'It is in reach, and its ledger says nothing of it.',
      action: 'Look at its page: its disk or its clock may be in trouble.',
    });
  }
  return problems;
}
