import { h, keyed } from '../../protocol/page/dom.js';
import { ago } from '../../protocol/page/times.js';
import { directiveWords, operatorName, outcomeOf } from './site-words.js';

const STATES = [
  ['applied', 'Applied on', 'good'],
  ['refused', 'Refused by', 'bad'],
  ['ended', 'Ended again by', 'bad'],
  ['unheard', 'Not heard yet by', 'waiting'],
];

/** Directives, newest first, and who has carried each out; it fills in while it is looked at. */
export function renderAnswers(section, directives, { catalogue, places, mesh, nowMs }) {
  section.querySelector('p').hidden = directives.length > 0;
  keyed(section.querySelector('ol'), directives, {
    key: ({ id }) => id,
    make: ({ id }) => h('li', { class: 'site-answer', id: `directive-${id}` }),
    update(item, directive) {
      const { level, words } = outcomeOf(directive);
      const { operator, given, gateways } = directive;
      item.replaceChildren(
        h(
          'div',
          { class: 'site-answer-head' },
          h('strong', {}, directiveWords(directive, places, mesh)),
          h('span', { class: 'badge', 'data-level': level }, words),
        ),
        h('p', { class: 'quiet' }, `${operatorName(operator)}, at ${given.name}, ${ago(nowMs - given.atUnixMs)} ago`),
        ...STATES.flatMap(([state, title, stateLevel]) => {
          const of = gateways.filter((each) => each.state === state);
          return of.length === 0 ? [] : [answerLine(title, stateLevel, of, catalogue)];
        }),
      );
    },
  });
}

function answerLine(title, level, gateways, catalogue) {
  return h(
    'p',
    { class: 'site-answer-line' },
    h('span', {}, title),
    gateways.map(({ name, isReached, state, code }) => {
      const away = state === 'unheard' && !isReached ? ' (out of reach)' : '';
      const why = code === undefined ? undefined : (catalogue.errors[code]?.meaning ?? code);
      return h('span', { class: 'badge', 'data-level': level, title: why }, `${name}${away}`);
    }),
    [...new Set(gateways.map(({ code }) => code).filter((code) => code !== undefined))].map((code) =>
      h('small', {}, catalogue.errors[code]?.meaning ?? code),
    ),
  );
}
