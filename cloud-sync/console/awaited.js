import { renderAnswers } from '../../protocol/page/answers.js';
import { outcomeOf } from '../../protocol/page/directive-words.js';
import { byId } from '../../protocol/page/dom.js';
import { get } from './session.js';

const LOOK_MS = 1_000;
const ASKED = 'The gateways are asked …';
/** While the ledger of no gateway that is here has it; what became of it where it was given says more. */
const NOTES = {
  elsewhere:
    'The cloud does not reach the gateway of the door. Its neighbours tell it within ten seconds, or not at all.',
  unheard: 'No gateway answered within ten seconds. Should one have taken it all the same, that is shown here.',
  expired: 'It came to the gateways too late: it is not carried out.',
};
const GIVEN = 'It is given. What the gateways say of it is on its way.';

/**
 * What was directed on this page last, and who has carried it out by their own ledgers: looked at until every gateway has
 * answered, or until the person has done with it. `words()`: how places and gateways are called.
 */
export function createAwaited({ catalogue, tried, say, words }) {
  const section = byId('awaited');
  const note = byId('awaited-note');
  const list = section.querySelector('ol');
  let path;
  /** What was asked for last: another one, or leaving it, takes its place. */
  let turn = 0;
  let id;
  let directive;
  let said;

  byId('awaited-done').addEventListener('click', leave);
  setInterval(() => void look(), LOOK_MS);

  /** `act` directs something and resolves with `{ directive, outcome?, code? }`. Resolves with whether it was taken. */
  async function give(act) {
    show(ASKED);
    const asked = turn;
    let given;
    const isTaken = await tried(async () => {
      given = await act();
      if (given.outcome === 'refused') throw refusalOf(given);
    });
    if (asked !== turn) return isTaken;
    if (!isTaken) {
      leave();
      return false;
    }
    note.textContent = NOTES[given.outcome] ?? GIVEN;
    id = given.directive;
    await look();
    return true;
  }

  function refusalOf({ code }) {
    const { meaning = 'A gateway refused it.', action } = catalogue.errors[code] ?? {};
    return { code, message: meaning, action };
  }

  function show(words) {
    turn += 1;
    [id, directive, said] = [undefined, undefined, undefined];
    note.textContent = words;
    list.replaceChildren();
    section.hidden = false;
    section.scrollIntoView({ block: 'nearest' });
  }

  function leave() {
    turn += 1;
    id = undefined;
    section.hidden = true;
  }

  async function look() {
    if (id === undefined) return;
    const asked = id;
    if (directive === undefined || !isAnswered(directive)) {
      const found = await get(`${path}/directives/${asked}`).catch(() => undefined);
      if (asked !== id) return;
      directive = found ?? directive;
    }
    if (directive === undefined) return;
    note.textContent = isAnswered(directive) ? '' : 'This goes on until all have answered.';
    renderAnswers(list, [directive], { catalogue, ...words(), nowMs: Date.now() });
    const outcome = outcomeOf(directive).words;
    if (outcome !== said) say(outcome);
    said = outcome;
  }

  return {
    give,
    /** Undefined while nothing is looked at. */
    directive: () => id,
    setSite(_site, next) {
      path = next;
      leave();
    },
  };
}

const isAnswered = ({ answeredBy, gateways }) =>
  answeredBy === 'one' ? gateways.length > 0 : gateways.every(({ state }) => state !== 'unheard');
