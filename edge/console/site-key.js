import { delegateCommands, mayWords, RIGHT_WORDS } from '../../protocol/page/directive-words.js';
import { h } from '../../protocol/page/dom.js';
import { canKeepKey, findKey, makeKey } from './operator-key.js';

/** The panel of the operator's key of this browser: none, one that has no right yet, or one that has. */
export async function createKeyPanel(panel, { onKey }) {
  let key;
  let trouble = canKeepKey() ? undefined : 'This browser keeps no key for a page that came this way.';
  try {
    if (trouble === undefined) key = await findKey();
  } catch (error) {
    trouble = `This browser keeps no key: ${error.message}.`;
  }
  const title = h('h2', { id: 'site-key-title' }, 'Your key');
  const said = h('div', { class: 'site-key-words' });
  const make = async () => {
    try {
      key = await makeKey();
      onKey(key);
    } catch (error) {
      trouble = `This browser makes no key: ${error.message}.`;
    }
  };
  const button = h('button', { type: 'button', class: 'primary', onclick: make }, 'Make a key in this browser');
  panel.append(title, said, button);
  if (key !== undefined) onKey(key);

  let shown;
  return {
    /** `operator`: what the authority delegated to the key, as `/api/mesh` gives it. */
    render(operator, { places, clock, nowMs }) {
      button.hidden = key !== undefined || trouble !== undefined;
      const words = wordsOf(operator, { places, clock, nowMs });
      // What a person marks to copy stays as it is.
      const text = JSON.stringify(words);
      if (text === shown) return;
      shown = text;
      said.replaceChildren(
        ...words.map(([tag, ...parts]) => h(tag, tag === 'p' ? {} : { class: 'site-key-code' }, parts)),
      );
    },
  };

  function wordsOf(operator, { places, clock, nowMs }) {
    if (trouble !== undefined)
      return [
        ['p', trouble],
        ['p', 'On the machine of a gateway, the command line does the same with a key in a file:'],
        ['code', 'sparc site lockdown --key FILE'],
      ];
    if (key === undefined) {
      return [
        [
          'p',
          'Directives for the whole site are signed. The browser makes a key for this page, keeps it, and gives it to nobody; the authority of the site says what it may do.',
        ],
      ];
    }
    const shownKey = ['code', key.publicKey];
    if (operator === undefined) {
      const { delegate, bring } = delegateCommands(key.publicKey, 'NAME', Object.keys(RIGHT_WORDS));
      return [
        [
          'p',
          'This key has no right yet, as far as this gateway knows. Whoever holds the key of the site authority gives it some:',
        ],
        ...delegate.map((command) => ['code', command]),
        ['p', 'Then at any gateway; the others hear of it:'],
        ...bring.map((command) => ['code', command]),
      ];
    }
    const until = clock.full(operator.untilUnixMs);
    if (operator.untilUnixMs <= nowMs)
      return [['p', `${operator.name}: the rights of this key ended on ${until}.`], shownKey];
    return [['p', `${mayWords(operator.name, operator, places, until)}.`], shownKey];
  }
}
