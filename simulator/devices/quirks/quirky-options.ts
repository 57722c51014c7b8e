import { DIALECTS, type PdOptions } from '@sparc/protocol/osdp';
import type { QuirkSet } from './reader-quirks.js';

const SLOW_FRAGMENT_MS = 200;

/** The options of a PD whose quirks are a matter of options. */
export function quirkyOptions(options: PdOptions, quirks: QuirkSet): PdOptions {
  const dialect = options.dialect ?? DIALECTS.standard;
  return {
    ...options,
    dialect: {
      ...dialect,
      ...(quirks.has('clearStatusReplies') && { clearStatusReplies: true }),
      ...(quirks.has('dropsSessionAfterKeyset') && { keysetEndsSession: true }),
      ...(quirks.has('xrdPreply1') && { apduReply: 'cardPresent' as const }),
    },
    ...(options.file && {
      file: {
        ...options.file,
        ...(quirks.has('exclusiveTransfer') && { exclusive: true }),
        ...(quirks.has('slowTransfer') && { delayMs: SLOW_FRAGMENT_MS }),
      },
    }),
  };
}
