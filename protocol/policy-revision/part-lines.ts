import { bytesToUtf8 } from '@noble/ciphers/utils.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { SparcError } from '../errors/index.js';
import type { PartStore } from '../ports/part-store.js';
import { invalidRevision } from './check-record.js';
import { PART_TEXT_BYTES_MAX, type PartRef } from './part-refs.js';
import type { PartTools } from './part-tools.js';

/** Lines of one part. Throws ERR_POLICY_REVISION_INVALID or ERR_POLICY_PART_ABSENT. */
export function linesOfPart(
  tools: PartTools,
  { hash, sizeBytes }: PartRef,
  store: Pick<PartStore, 'get'>,
): readonly string[] {
  const content = intactPart(tools, store, hash);
  if (content === undefined) throw absentPart(hash);
  if (content.length !== sizeBytes) throw invalidRevision(`a part of ${content.length} bytes, where ${sizeBytes} are`);
  let text: string;
  try {
    text = bytesToUtf8(tools.inflate(content, PART_TEXT_BYTES_MAX));
  } catch (cause) {
    throw invalidRevision(`the part ${hash} is no text`, cause);
  }
  const lines = text.split('\n');
  if (lines.pop() !== '') throw invalidRevision(`the part ${hash} ends in the middle of a line`);
  return lines;
}

/** Content of a part, if it is here and has the name that it is kept under. Throws as the store does. */
export function intactPart(
  { sha256 }: Pick<PartTools, 'sha256'>,
  store: Pick<PartStore, 'get'>,
  hash: string,
): Uint8Array | undefined {
  const content = store.get(hash);
  return content !== undefined && bytesToHex(sha256(content)) === hash ? content : undefined;
}

export const absentPart = (hash: string) => new SparcError('ERR_POLICY_PART_ABSENT', `the part ${hash}`, { hash });
