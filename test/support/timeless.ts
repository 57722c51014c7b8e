import type { MeshTime } from '@sparc/edge/site-mesh';

/** Of a gateway whose field says nothing of the time. */
export const TIMELESS: MeshTime = {
  own: () => undefined,
  wall: () => ({ unixMs: 0, quality: 'unsynced' }),
  uptimeMs: () => 0,
  tell: () => undefined,
};
