import t from 'tap';
import { FieldRequests } from '@sparc/edge/api/server';
import { VirtualClock } from '@sparc/simulator/world';
import { ADA, directive, signed } from '../field/directed-sites.js';

const LOCKDOWN = signed(ADA, directive({ kind: 'raise', what: 'lockdown' }));
const RECEIPT = { id: 'ab'.repeat(16), outcome: 'applied' } as const;

t.test('what anybody asks leaves room for what an operator of the site has signed', async (t) => {
  const asked: number[] = [];
  const requests = new FieldRequests(new VirtualClock(), (message) => {
    if (message.kind === 'request') asked.push(message.id);
  });
  const request = { kind: 'directive', directive: LOCKDOWN } as const;
  const garbage = Array.from({ length: 100 }, () => requests.ask({ kind: 'check' }, undefined));
  const codes = Promise.allSettled(garbage);
  await t.rejects(requests.ask(request, undefined, false), { code: 'ERR_COMMISSIONING_BUSY' });
  const lockdown = requests.ask(request, undefined, true);
  requests.answered(asked.at(-1) ?? 0, { ok: true, value: { kind: 'directed', receipt: RECEIPT } });
  t.strictSame((await lockdown).receipt, RECEIPT);
  for (const id of asked) requests.answered(id, { ok: false, code: 'ERR_COMMISSIONING_WINDOW_CLOSED', message: '' });
  t.equal((await codes).filter((each) => JSON.stringify(each).includes('BUSY')).length, 100 - (asked.length - 1));
});
