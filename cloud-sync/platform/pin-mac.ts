import { createHmac } from 'node:crypto';
import type { PinMac } from '@sparc/protocol/site-check';

/** By OpenSSL. */
export const pinMac =
  (pinKey: Uint8Array): PinMac =>
  (text) =>
    createHmac('sha256', pinKey).update(text).digest('base64url');
