import { existsSync } from 'node:fs';
import { isSparcError, type SparcError } from '@sparc/protocol/errors';
import { moveAside } from '../platform/index.js';
import { SqlitePartStore } from './sqlite-part-store.js';

/**
 * Opens the parts at `path` of a gateway. A file that is damaged is moved aside and neighbours fill a new one; `movedTo`:
 * its name then. Throws ERR_POLICY_PARTS_FAILED.
 */
export function openParts(path: string): { readonly store: SqlitePartStore; readonly movedTo?: string } {
  try {
    return { store: SqlitePartStore.open(path) };
  } catch (error) {
    if (!isSparcError(error, 'ERR_POLICY_PARTS_FAILED') || !isDamage(error) || !existsSync(path)) throw error;
    return { movedTo: moveAside(path), store: SqlitePartStore.open(path) };
  }
}

const isDamage = ({ cause }: SparcError): boolean =>
  /^SQLITE_(CORRUPT|NOTADB)/.test(String((cause as { readonly code?: unknown } | undefined)?.code));
