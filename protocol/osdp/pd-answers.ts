import type { Reply } from './replies.js';

export const ACK: Reply = { name: 'ACK' };

export const nak = (error: number, ...details: readonly number[]): Reply => ({
  name: 'NAK',
  error,
  details: Uint8Array.from(details),
});
