import { DISK_FREE_BYTES_MIN } from '../replica/index.js';

/** Up to here a policy may use what is kept free for the journal: a credential that is blocked waits for no disk. */
export const POLICY_SMALL_BYTES_MAX = 4_194_304;

/** Whether so many bytes of a policy may be written, of those that are free. */
export const hasRoomForPolicy = (sizeBytes: number, freeBytes: number): boolean =>
  sizeBytes <= freeBytes - (sizeBytes <= POLICY_SMALL_BYTES_MAX ? 0 : DISK_FREE_BYTES_MIN);
