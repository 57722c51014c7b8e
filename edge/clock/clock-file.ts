import { join } from 'node:path';
import { Type, type Static } from '@sinclair/typebox';
import { StateFile } from '../platform/index.js';
import { ClockState } from './clock-state.js';
import type { ClockStore } from './site-clock.js';

/** Of the data directory. */
const CLOCK_FILE = 'clock.json';

const Content = Type.Object(
  { bootId: Type.Optional(Type.String()), state: ClockState },
  { additionalProperties: false },
);
/** The clock, and the run of the machine that it was last seen in. */
export type SavedClock = Static<typeof Content>;

/** Keeps what is known of the clock. */
export class ClockFile extends StateFile<typeof Content> implements ClockStore {
  constructor(dataDir: string) {
    super(join(dataDir, CLOCK_FILE), Content, 'ERR_GATEWAY_CLOCK_DAMAGED');
  }
}
