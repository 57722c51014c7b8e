import { ask, checkField, selectField } from '../../protocol/page/dialogs.js';
import { delegateCommands, mayWords, RIGHT_WORDS } from '../../protocol/page/directive-words.js';
import { byId, h } from '../../protocol/page/dom.js';
import { NO_PLACES } from './places.js';
import { call, get } from './session.js';

const DAY_MS = 86_400_000;
const LASTS = [
  [30, '30 days'],
  [90, '90 days'],
  [365, '1 year'],
];
/** What the page has buttons for, beside what was given already; whom to expel and whose card is over, the authority of the site says itself. */
const RIGHTS = ['mode', 'order', 'grant'];
const BY_DEFAULT = ['mode', 'order'];

/** What the cloud may direct at a site by the word of its authority. An administrator gives and withdraws it. */
export function createCloudOperator({ tried, say, onChange }) {
  const said = byId('operator-words');
  const withdrawal = byId('operator-withdraw');
  let site;
  let path;
  let known;
  let shown;
  /** What orders name, to choose from. */
  let places = NO_PLACES;

  byId('operator-delegate').addEventListener('click', () => void delegate());
  withdrawal.addEventListener('click', () => void withdraw());

  async function load() {
    const asked = path;
    const answer = await get(`${asked}/cloud-operator`).catch(() => undefined);
    if (answer === undefined || asked !== path) return;
    known = answer;
    onChange();
  }

  /** What it has stays as it is but for what is changed here; where that cannot be read, nothing is given. */
  async function delegate() {
    const of = path;
    let delegated;
    const isRead = await tried(async () => {
      ({ delegated } = await get(`${of}/cloud-operator`));
    });
    // Meanwhile another site may be shown.
    if (!isRead || of !== path) return;
    const { rights = BY_DEFAULT, scope = [] } = delegated ?? {};
    const answer = await ask({
      title: 'What may the cloud direct?',
      text: 'Whoever is an operator of the cloud directs the site with it; each order says on whose behalf.',
      fields: [
        checkField(
          'rights',
          'They may',
          [...new Set([...RIGHTS, ...rights])].map((right) => ({
            value: right,
            words: RIGHT_WORDS[right],
            checked: rights.includes(right),
          })),
        ),
        scopeField(scope),
        selectField('days', 'For', LASTS),
      ],
      go: 'Let the cloud direct',
    });
    if (answer?.rights === undefined) return;
    const newScope = answer.scope ?? [];
    if (scope.length > 0 && newScope.length === 0 && !(await isForWholeSite())) return;
    const untilUnixMs = Date.now() + Number(answer.days[0]) * DAY_MS;
    const body = { rights: answer.rights, scope: newScope, untilUnixMs };
    await changed('The cloud may direct.', () => call('PUT', `${of}/cloud-operator`, { body }));
  }

  /** What is in the scope and no longer in the draft stays until somebody takes it out. */
  function scopeField(scope) {
    const items = new Map();
    const kinds = { area: places.areas, door: places.doors, profile: places.profiles };
    for (const [kind, named] of Object.entries(kinds)) {
      for (const { id, name } of named) {
        // A door may have the id of an area: they are in the scope together.
        const other = items.get(id);
        items.set(id, { value: id, words: other?.words ?? name, note: other ? `${other.note} and ${kind}` : kind });
      }
    }
    for (const id of scope) if (!items.has(id)) items.set(id, { value: id, words: id, note: 'not in the draft' });
    if (items.size === 0) return [];
    const all = [...items.values()].map((item) => ({ ...item, checked: scope.includes(item.value) }));
    return checkField('scope', 'Only there, and by these profiles; none: the whole site', all);
  }

  /** Whoever takes out the last place may have meant to leave none. */
  async function isForWholeSite() {
    const answer = await ask({
      title: 'The whole site?',
      text: 'Without a place the cloud may direct all of the site. To let it direct nothing, take that away from it.',
      go: 'The whole site',
      level: 'danger',
    });
    return answer !== undefined;
  }

  async function withdraw() {
    const answer = await ask({
      title: 'Take that from the cloud?',
      text: 'Orders that stand go on. Gateways take no more of them from the cloud once they hear of it.',
      go: 'Take it away',
      level: 'danger',
    });
    if (answer === undefined) return;
    await changed('The cloud may direct no more.', () => call('DELETE', `${path}/cloud-operator`));
  }

  async function changed(words, act) {
    if (await tried(act)) say(words);
    await load();
  }

  /** What a person marks to copy stays as it is. */
  function render(next) {
    places = next;
    if (known === undefined) return;
    const { delegated } = known;
    withdrawal.hidden = delegated === undefined || !site.isAuthorityHere;
    byId('operator-delegate').hidden = !site.isAuthorityHere;
    byId('operator-delegate').textContent = delegated === undefined ? 'Let the cloud direct…' : 'Change…';
    const words = delegated === undefined ? howTo() : [['p', `${mayNow(delegated)}.`]];
    const text = JSON.stringify(words);
    if (text === shown) return;
    shown = text;
    said.replaceChildren(...words.map(([tag, part]) => h(tag, tag === 'p' ? {} : { class: 'site-key-code' }, part)));
  }

  function mayNow(delegated) {
    const until = new Date(delegated.untilUnixMs).toLocaleString();
    if (delegated.untilUnixMs <= Date.now()) return `What the cloud might direct ended on ${until}`;
    return mayWords('On behalf of its operators the cloud', delegated, places, until);
  }

  function howTo() {
    const none = ['p', 'The cloud directs nothing at this site: nobody has let it.'];
    if (!site.isAuthorityHere) {
      const { delegate: commands, bring } = delegateCommands(known.operator, 'cloud', BY_DEFAULT);
      return [
        none,
        ['p', 'Whoever holds the key of the site authority does:'],
        ...commands.map((command) => ['code', command]),
        ['p', 'Then at any gateway; the others, and the cloud, hear of it:'],
        ...bring.map((command) => ['code', command]),
      ];
    }
    return [none, ['p', 'An administrator does it here, or by the API with their token:'], ['code', putCommand()]];
  }

  /** For 30 days from the beginning of this one, so that it stays the same while it is read. */
  function putCommand() {
    const untilUnixMs = (Math.floor(Date.now() / DAY_MS) + 30) * DAY_MS;
    return [
      `curl -X PUT ${location.origin}/api/v1${path}/cloud-operator`,
      `-H "authorization: Bearer $TOKEN" -H "content-type: application/json"`,
      `-d '${JSON.stringify({ rights: BY_DEFAULT, untilUnixMs })}'`,
    ].join(' ');
  }

  return {
    load,
    render,
    /** Whether the cloud has this right now. */
    has: (right) =>
      known?.delegated !== undefined &&
      known.delegated.untilUnixMs > Date.now() &&
      known.delegated.rights.includes(right),
    get isLet() {
      return known?.delegated !== undefined;
    },
    setSite(next, nextPath) {
      [site, path, known, shown] = [next, nextPath, undefined, undefined];
      said.replaceChildren();
      void load();
    },
  };
}
