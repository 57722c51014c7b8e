import { setImmediate } from 'node:timers/promises';

/** Lets everybody else who waits in this process have a turn. */
export const turn = (): Promise<void> => setImmediate();
