import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { EVENTS } from '@sparc/protocol/events';
import { OPERATIONS } from '@sparc/edge/commissioning';
import { REPOSITORY } from '../../support/repository.js';

/** The page has no build step: its modules are taken as the browser gets them. */
const load = (...path: readonly string[]) => import(pathToFileURL(join(REPOSITORY, ...path)).href);
const { TASK_TITLES, titleOf, whoOf, whyOf } = await load('protocol', 'page', 'event-words.js');
const words = await load('edge', 'console', 'commissioning-words.js');

const CATALOGUE = { errors: { ERR_X: { meaning: 'it broke.' } }, reasons: {} };

t.test('every event has a title of its own', async (t) => {
  for (const name of Object.keys(EVENTS)) t.not(titleOf({ name }), name);
  t.match(titleOf({ name: 'emptied' }), 'only the cloud has it');
});

t.test('every operation has a name', async (t) => {
  for (const kind of Object.keys(OPERATIONS)) {
    if (kind !== 'cancel') t.type(TASK_TITLES[kind], 'string', kind);
  }
});

t.test('an event of commissioning names the operator, what was done and how it ended', async (t) => {
  const detail = { task: '0a1b', kind: 'setKey', operator: 'Ada', state: 'failed' };
  const event = { name: 'commissioning.ended', code: 'ERR_X', detail };
  t.equal(whoOf(event), 'Ada');
  t.equal(whyOf(event, CATALOGUE), 'Set key; failed; it broke.');
});

t.test('an act is told with who did it and what came of it', async (t) => {
  const event = { name: 'order.refused', detail: { by: 'Ada', order: 'door', why: 'there is no such door' } };
  t.equal(whoOf(event), 'Ada');
  t.equal(whyOf(event, CATALOGUE), 'Order door; why there is no such door');
});

t.test('an event of the mesh names the other gateway, and spares the reader its key', async (t) => {
  const event = { name: 'mesh.gateway_expelled', detail: { neighbour: 'ab'.repeat(32), name: 'gate', epoch: '7' } };
  t.equal(whoOf(event), 'gate');
  t.equal(whyOf(event, CATALOGUE), 'Epoch 7');
});

t.test('names that a stolen gateway gives are shown as they are', async (t) => {
  const named = 'constructor';
  t.equal(titleOf({ name: named }), named);
  const event = { name: named, reason: named, code: named, detail: { kind: named, state: named } };
  t.equal(whyOf(event, CATALOGUE), 'Constructor; constructor; constructor; constructor');
});

t.test('whoever nobody knows is called by what they presented', async (t) => {
  t.equal(whoOf({ card: { bitCount: 26, facility: 1, cardNumber: '42' } }), 'card 1-42');
  t.equal(whoOf({ card: { bitCount: 26 } }), 'card of 26 bits');
  t.equal(whoOf({ card: { bitCount: 0 } }), 'PIN without a card');
  t.equal(whoOf({}), undefined);
});

t.test('figures are short and exact', async (t) => {
  t.equal(words.baud(115_200), '115\u202f200 baud');
  t.equal(words.baud(9_600), '9\u202f600 baud');
  t.strictSame([3.24, 41.6, 1_440].map(words.millis), ['3.2 ms', '42 ms', '1.4 s']);
  t.equal(words.share(0, 0), '–');
  t.equal(words.share(0, 10), '0');
  t.equal(words.share(1, 10_000), '< 0.1 %');
  t.equal(words.share(400, 10_000), '4.0 %');
  t.equal(words.left(1_447_000), '24:07');
  t.equal(words.left(-5), '0:00');
  t.equal(words.sentence('it failed'), 'It failed.');
});
