import { ask, checkField, textField } from '../../protocol/page/dialogs.js';
import { byId, h, keyed } from '../../protocol/page/dom.js';
import { ago } from '../../protocol/page/times.js';
import { appliedWords, CHANGE_LEVELS, CHANGE_WORDS, draftWords, KIND_WORDS } from './cloud-words.js';
import { call, get } from './session.js';

const TEXT = { maxlength: '200', required: false };

/** What is saved and not published, and what was published: saved, published and applied are three things. */
export function createPolicy({ tried, say, onDraft, onPublished }) {
  let path;
  let draft;
  let diff;
  let problems = [];
  let revisions = [];
  let gateways = [];

  byId('publish').addEventListener('click', () => void publish());
  // Ages change without a word.
  setInterval(renderRevisions, 1_000);

  async function load() {
    const asked = path;
    await tried(async () => {
      const answers = await Promise.all(
        ['', '/diff', '/problems', '/revisions'].map((part) => get(`${asked}/policy${part}`)),
      );
      if (asked !== path) return;
      [draft, diff, { problems }, { revisions }] = answers;
      renderDraft();
      renderRevisions();
    });
  }

  function renderDraft() {
    const { level, words, count: changes } = draftWords(diff);
    onDraft(changes);
    const headline = byId('draft-headline');
    headline.dataset.level = level;
    headline.textContent = words;
    byId('publish').disabled = changes === 0 || problems.length > 0;
    byId('draft').hidden = changes === 0 && problems.length === 0;
    byId('draft-more').hidden = !diff.isMore;
    byId('draft-problems').replaceChildren(
      ...problems.map(({ kind, id, path: where, message }) =>
        h(
          'li',
          { class: 'change', 'data-level': 'bad' },
          h('strong', {}, `${KIND_WORDS[kind] ?? kind} ${id ?? ''}`),
          ` ${where} ${message}`,
        ),
      ),
    );
    byId('draft-changes').replaceChildren(
      ...diff.changes.map(({ kind, id, name, change, fields = [] }) =>
        h(
          'li',
          { class: 'change' },
          h('span', { class: 'badge', 'data-level': CHANGE_LEVELS[change] }, CHANGE_WORDS[change]),
          h(
            'div',
            {},
            h('strong', {}, `${KIND_WORDS[kind] ?? kind} ${name ?? id}`),
            h('p', { class: 'quiet' }, [name === undefined ? '' : id, fields.join(', ')].filter(Boolean).join(' · ')),
          ),
        ),
      ),
    );
  }

  function renderRevisions() {
    const nowMs = Date.now();
    byId('revisions-none').hidden = revisions.length > 0;
    keyed(byId('revisions'), revisions, {
      // What can be done with it is another thing once there is a newer one.
      key: ({ number }) => `${number} ${number === revisions[0].number}`,
      make: (revision) =>
        h('li', { class: 'revision' }, h('div'), h('div', { class: 'revision-acts' }, acts(revision))),
      update(item, revision) {
        const { number, publishedBy, publishedUnixMs, note, reissues, onlyFor, isRecovered } = revision;
        const applied = appliedWords(revision, gateways);
        const isNewest = number === revisions[0].number;
        item.firstElementChild.replaceChildren(
          h(
            'p',
            {},
            h('strong', {}, `Revision ${number}`),
            ` by ${publishedBy}, ${ago(nowMs - publishedUnixMs)} ago`,
            isRecovered ? '; recovered: what it says is not known here' : '',
            reissues === undefined ? '' : `; the same as revision ${reissues}`,
          ),
          onlyFor === undefined
            ? ''
            : h('p', {}, h('span', { class: 'badge', 'data-level': 'waiting' }, `for ${namesOf(onlyFor)} alone`)),
          note === undefined ? '' : h('p', {}, note),
          h(
            'p',
            { class: 'quiet' },
            applied ?? (isNewest ? 'Published; applied by no gateway yet.' : 'No longer applied.'),
          ),
        );
      },
    });
  }

  /** A canary goes on to all; an older one comes back as a new one. */
  function acts(revision) {
    const { number, onlyFor } = revision;
    const isNewest = number === revisions[0].number;
    if (isNewest && onlyFor === undefined) return [];
    const words = isNewest ? 'Publish to all…' : 'Go back to this…';
    const button = h('button', { type: 'button', class: 'administer', onclick: () => void reissue(revision) }, words);
    button.setAttribute('aria-label', `${words.slice(0, -1)}: revision ${number}`);
    return [button];
  }

  async function publish() {
    const members = gateways.filter(({ state }) => state === 'active');
    const answer = await ask({
      title: diff.isUnseen ? `Publish over revision ${diff.since}?` : 'Publish what is saved?',
      text: diff.isUnseen
        ? 'What was published between the backup and the restore is given up, access that it took away as well.'
        : 'Published is not applied: each gateway says when it has applied it.',
      fields: [
        textField('note', 'Note', { ...TEXT, hint: 'For whoever reads the list of revisions.' }),
        checkField(
          'onlyFor',
          'At first for these gateways alone (none: for all)',
          members.map(({ key, name }) => ({ value: key, words: name })),
        ),
      ],
      go: 'Publish',
    });
    if (answer === undefined) return;
    const { note, onlyFor = [] } = answer;
    const over = diff.isUnseen && { over: diff.since };
    await issue('/revisions', {
      ...{ ...noted(note), ...over, version: draft.version },
      ...(onlyFor.length > 0 && { onlyFor }),
    });
  }

  async function reissue({ number, onlyFor }) {
    const isCanary = onlyFor !== undefined && number === revisions[0].number;
    const answer = await ask({
      title: isCanary ? `Publish revision ${number} to all gateways?` : `Go back to revision ${number}?`,
      text: 'It becomes a new revision that says the same. What was revoked stays revoked.',
      fields: [textField('note', 'Note', TEXT)],
      go: 'Publish',
    });
    const over = diff.isUnseen && { over: diff.since };
    if (answer !== undefined) await issue(`/revisions/${number}/reissue`, { ...noted(answer.note), ...over });
  }

  async function issue(part, body) {
    let issued;
    const isDone = await tried(async () => {
      issued = await call('POST', `${path}/policy${part}`, { body });
    });
    if (!isDone) return;
    say(issued.isNew ? `Revision ${issued.number} is published.` : `Revision ${issued.number} says the same already.`);
    await load();
    await onPublished();
  }

  const noted = ([note]) => (note === '' ? {} : { note });
  const namesOf = (keys) =>
    keys.map((key) => gateways.find((one) => one.key === key)?.name ?? `${key.slice(0, 8)}…`).join(', ');

  return {
    load,
    setGateways(next) {
      gateways = next;
      renderRevisions();
    },
    setSite(_site, nextPath) {
      path = nextPath;
      revisions = [];
      void load();
    },
  };
}
