import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { PartTools } from '@sparc/protocol/policy-revision';
import { nodeCrypto } from './node-crypto.js';

export const nodePartTools: PartTools = {
  sha256: nodeCrypto.sha256,
  deflate: (content) => deflateRawSync(content),
  inflate: (content, lengthMax) => inflateRawSync(content, { maxOutputLength: lengthMax }),
};
