import { ask, checkField, selectField, textField } from '../../protocol/page/dialogs.js';
import { byId } from '../../protocol/page/dom.js';
import { count } from '../../protocol/page/phrases.js';
import { call } from './session.js';

/** Who comes to a site, who goes, and an authority that waits for gateways after a restore. */
export function createEnrolment({ tried, say, onChange }) {
  let path;
  let gateways = [];

  byId('gateway-add').addEventListener('click', () => void offer());
  byId('gateway-expel').addEventListener('click', () => void expel());
  byId('codes-withdraw').addEventListener('click', () => void withdraw());
  byId('claim-done').addEventListener('click', () => show(undefined));
  byId('resume').addEventListener('click', () => void resume());

  async function offer() {
    const answer = await ask({
      title: 'Add a gateway',
      text: 'A code is made, by which one gateway can be claimed within a day.',
      fields: [
        textField('name', 'Name', { maxlength: '128', required: false, hint: 'Left out: that which it has itself.' }),
        selectField('replaces', 'In the place of', [['', 'none: it is a new one'], ...options()], {
          hint: 'That one is out for good when the new one comes.',
        }),
      ],
      go: 'Make a code',
    });
    if (answer === undefined) return;
    const [[name], [replaces]] = [answer.name, answer.replaces];
    const body = { ...(name !== '' && { name }), ...(replaces !== '' && { replaces }) };
    await tried(async () => show(await call('POST', `${path}/claims`, { body })));
  }

  async function withdraw() {
    const answer = await ask({
      title: 'Withdraw the codes that are open?',
      text: 'Every code of this site that no gateway has used admits nobody any more, whoever made it. Gateways that came by one stay.',
      go: 'Withdraw them',
      level: 'danger',
    });
    if (answer === undefined) return;
    await tried(async () => {
      const { withdrawnCount } = await call('DELETE', `${path}/claims`);
      show(undefined);
      const none = 'No code was open.';
      const words =
        withdrawnCount === 0 ? none : `Withdrawn: ${count(withdrawnCount, 'code')} that no gateway had used.`;
      byId('codes-withdrawn').textContent = words;
      byId('codes-withdrawn').hidden = false;
      say(words);
    });
  }

  /** A code is shown once: the cloud keeps its hash. */
  function show(offered) {
    byId('codes-withdrawn').hidden = true;
    byId('claim').hidden = offered === undefined;
    byId('claim-command').textContent = offered && `sparc gateway claim ${offered.url} ${offered.code}`;
    byId('claim-until').textContent =
      offered &&
      `Good until ${new Date(offered.expiresUnixMs).toLocaleString()}, for one gateway. It is shown here once.`;
    if (offered !== undefined) byId('claim').focus();
  }

  async function expel() {
    const answer = await ask({
      title: 'Expel a gateway?',
      text: [
        'It loses its place at the site, its link and every certificate, and the others change the secret of the site.',
        'It comes back as a new gateway only, with another key.',
      ],
      fields: [
        selectField('gateway', 'Gateway', options()),
        checkField('sure', '', [{ value: 'yes', words: 'It is out for good' }]),
      ],
      go: 'Expel it',
      level: 'danger',
    });
    if (answer?.sure === undefined) return;
    const [key] = answer.gateway;
    const isDone = await tried(() => call('POST', `${path}/gateways/${key}/expulsion`));
    if (!isDone) return;
    say(`${gateways.find((each) => each.key === key)?.name} is expelled.`);
    await onChange();
  }

  async function resume() {
    const answer = await ask({
      title: 'Sign without waiting for gateways?',
      text: 'What the authority of the site signed since the backup, and no gateway has brought back, is given up: whoever was expelled then may come back.',
      go: 'Sign again',
      level: 'danger',
    });
    if (answer === undefined) return;
    if (await tried(() => call('POST', `${path}/authority/resume`))) await onChange();
  }

  const options = () => gateways.map(({ key, name }) => [key, name]);

  return {
    setGateways(next) {
      gateways = next;
      byId('gateway-expel').disabled = gateways.length === 0;
    },
    setSite({ isHalted }, next) {
      path = next;
      gateways = [];
      show(undefined);
      byId('halted').hidden = !isHalted;
    },
  };
}
