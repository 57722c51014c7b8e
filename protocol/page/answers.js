import { directiveWords, operatorWords, outcomeOf } from './directive-words.js';
import { h, keyed } from './dom.js';
import { ago } from './times.js';

const STATES = [
  ['applied', 'Applied on', 'good'],
  ['refused', 'Refused by', 'bad'],
  ['ended', 'Ended again by', 'bad'],
  ['unheard', 'Not heard yet by', 'waiting'],
];

/**
 * Directives, newest first, and who has carried each out; it fills in while it is looked at. `gatewayName`: of a public key;
 * `catalogue`: what errors mean.
 */
export function renderAnswers(list, directives, { catalogue, places, gatewayName, nowMs }) {
  keyed(list, directives, {
    key: ({ id }) => id,
    make: ({ id }) => h('li', { class: 'site-answer', 'data-directive': id }),
    update(item, directive) {
      const { level, words } = outcomeOf(directive);
      item.replaceChildren(
        h(
          'div',
          { class: 'site-answer-head' },
          h('strong', {}, directiveWords(directive, places, gatewayName)),
          h('span', { class: 'badge', 'data-level': level }, words),
        ),
        h('p', { class: 'quiet' }, givenWords(directive, nowMs)),
        ...STATES.flatMap(([state, title, stateLevel]) => {
          const of = directive.gateways.filter((each) => each.state === state);
          return of.length === 0 ? [] : [answerLine(title, stateLevel, of, { catalogue, nowMs, directive })];
        }),
        ...(isUnlisted(directive) ? [h('p', { class: 'site-answer-line' }, unlistedBadge())] : []),
      );
    },
  });
}

/** Of a revocation: no gateway that carried it out knows anybody of that id. */
function isUnlisted({ gateways }) {
  const applied = gateways.filter(({ state }) => state === 'applied');
  return applied.length > 0 && applied.every((each) => each.isUnlisted);
}

const unlistedBadge = () =>
  h('span', { class: 'badge', 'data-level': 'warn' }, 'Known to nobody there: revoked, should it come later');

function givenWords({ operator, detail, given }, nowMs) {
  const who = operatorWords(operator, detail.onBehalfOf);
  // The authority of the site writes into its own ledger.
  const where = given.gateway === operator.key ? '' : `, at ${given.name}`;
  return `${who}${where}, ${ago(nowMs - given.atUnixMs)} ago`;
}

function answerLine(title, level, gateways, { catalogue, nowMs, directive }) {
  const codes = [...new Set(gateways.map(({ code }) => code).filter((code) => code !== undefined))];
  return h(
    'p',
    { class: 'site-answer-line' },
    h('span', {}, title),
    gateways.map(({ name, isReached, atUnixMs }) => {
      const away = atUnixMs === undefined && !isReached ? ' (out of reach)' : '';
      const age =
        atUnixMs === undefined ? `for ${ago(nowMs - directive.given.atUnixMs)}` : `${ago(nowMs - atUnixMs)} ago`;
      return h('span', { class: 'badge', 'data-level': level }, `${name}${away} ${age}`);
    }),
    codes.map((code) => h('small', {}, h('code', {}, code), ` ${catalogue.errors[code]?.meaning ?? ''}`)),
  );
}
