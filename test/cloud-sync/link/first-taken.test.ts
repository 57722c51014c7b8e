import t from 'tap';
import { firstTaken, type RequestResult } from '@sparc/cloud-sync/link';

const says = (outcome: RequestResult['outcome'], code?: string): Promise<RequestResult> =>
  Promise.resolve({ outcome, ...(code !== undefined && { code }) });
const never = new Promise<RequestResult>(() => undefined);
const busy = () => Promise.reject(new Error('busy'));

t.test('one that has carried it out is enough: nobody waits for a gateway that is gone', async (t) => {
  t.strictSame(await firstTaken([never, says('refused', 'ERR_DIRECTIVE_TOO_FAST'), busy(), says('applied')]), {
    outcome: 'applied',
  });
  t.strictSame(await firstTaken([never, says('unchanged')]), { outcome: 'unchanged' });
});

t.test('where none has, the weightiest of all answers counts', async (t) => {
  const refused = says('refused', 'ERR_DIRECTIVE_NOT_ENTITLED');
  t.strictSame(await firstTaken([says('unheard'), says('elsewhere'), refused]), await refused);
  t.strictSame(await firstTaken([says('elsewhere'), says('unheard'), busy()]), { outcome: 'elsewhere' });
  t.strictSame(await firstTaken([says('known'), refused]), { outcome: 'known' });
  t.strictSame(await firstTaken([]), { outcome: 'unheard' });
});

t.test('what could be said to none is told as why', async (t) => {
  await t.rejects(firstTaken([busy(), busy()]), { message: 'busy' });
});
