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
const Content = Type.Object(
  {
    lockdown: Type.Optional(Type.Object(Act)),
    threatLevel: Type.Integer(),
    fires: Type.Record(Type.String(), Type.Object(Act)),
    doors: Doors,
    overruled: Type.Optional(Doors),
  },
  { additionalProperties: false },
);

/** Keeps the mode of the site. */
export class ModeFile extends StateFile<typeof Content> implements ModeStore {
  constructor(dataDir: string) {
    super(join(dataDir, MODE_FILE), Content, 'ERR_GATEWAY_MODE_DAMAGED');
  }
}
