import t from 'tap';
import { isSparcError } from '@sparc/protocol/errors';
import { validateSiteFile } from '@sparc/edge/policy';
import { siteText } from '../../scenarios/site-changes.js';

const EXIT_REQUESTS = {
  none: 'absent',
  'one that shunts': { releases: false },
  'one that releases': { releases: true },
};
const EGRESS = { 'nothing on record': 'absent', 'no other way on record': false, 'another way on record': true };

function isAccepted(exitRequest: unknown, independentEgress: unknown): boolean {
  const doors = { front: { exitRequest } };
  const accessPoints = { 'front-out': { independentEgress } };
  try {
    validateSiteFile(siteText('office', [{ doors, accessPoints }]), 'office.yaml');
    return true;
  } catch (error) {
    if (isSparcError(error, 'ERR_POLICY_INVALID')) return false;
    throw error;
  }
}

t.test('no site is accepted whose exit reader could keep anybody in', async (t) => {
  for (const [button, exitRequest] of Object.entries(EXIT_REQUESTS)) {
    for (const [record, independentEgress] of Object.entries(EGRESS)) {
      const isWayOut = button === 'one that releases' || independentEgress === true;
      t.equal(isAccepted(exitRequest, independentEgress), isWayOut, `exit request: ${button}; ${record}`);
    }
  }
});
