import { join } from 'node:path';
import { Type } from '@sinclair/typebox';
import { StateFile } from '../platform/index.js';
import type { ModeStore } from './site-mode-keeper.js';
import { OrderedMode } from './orders.js';

/** Of the data directory. */
const MODE_FILE = 'site-mode.json';

const Act = { by: Type.String(), atUnixMs: Type.Number(), isTimeUnknown: Type.Optional(Type.Literal(true)) };
const Doors = Type.Record(
  Type.String(),
  Type.Object({
    ...Act,
    mode: OrderedMode,
    forMs: Type.Optional(Type.Number()),
    isToggled: Type.Optional(Type.Literal(true)),
  }),
);
const Stamp = Type.Object({ unixMs: Type.Number(), counter: Type.Number() });
const Heard = Type.Record(
  Type.String(),
  Type.Object({ newest: Type.Record(Type.String(), Stamp), floor: Stamp }, { additionalProperties: false }),
);
const Ids = Type.Array(Type.String());
const Raise = Type.Object({
  ...Act,
  id: Type.String(),
  what: Type.Union([
    Type.Literal('lockdown'),
    Type.Literal('threat'),
    Type.Literal('evacuation'),
    Type.Literal('fire'),
  ]),
  level: Type.Optional(Type.Integer()),
  scope: Type.Optional(Ids),
  input: Type.Optional(Type.String()),
  isDirected: Type.Optional(Type.Literal(true)),
  entry: Type.Optional(Type.Object({ author: Type.String(), epoch: Type.Integer(), sequence: Type.Integer() })),
});
const Content = Type.Object(
  {
    raises: Type.Array(Raise),
    released: Type.Array(
      Type.Object({ id: Type.String(), within: Type.Optional(Ids), by: Type.Optional(Type.String()) }),
    ),
    doors: Doors,
    overruled: Type.Optional(Doors),
    heard: Type.Optional(Heard),
  },
  { additionalProperties: false },
);

/** Keeps the mode of the site. */
export class ModeFile extends StateFile<typeof Content> implements ModeStore {
  constructor(dataDir: string) {
    super(join(dataDir, MODE_FILE), Content, 'ERR_GATEWAY_MODE_DAMAGED');
  }
}
