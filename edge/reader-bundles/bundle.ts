import { createHash, webcrypto } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { Value } from '@sinclair/typebox/value';
import { SparcError } from '@sparc/protocol/errors';
import type { Signer } from '@sparc/protocol/ports';
import { toHex, verifySignature } from '../platform/index.js';
import { BundleManifest, type BundleDescription } from './manifest.js';

/** A bundle that was found whole and signed by somebody who is trusted. */
export interface Bundle {
  /** Names exactly this content: the first 16 hexadecimal digits of the SHA-256 of the signed line. */
  readonly id: string;
  readonly manifest: BundleManifest;
}

/** Longest payload. At 9,600 baud it takes about three hours. */
export const BUNDLE_PAYLOAD_MAX_BYTES = 8 * 1_048_576;
/** Both lines in front of the payload. */
const HEADER_MAX_BYTES = 16_384;
const HEAD = /^\{"signature":"([0-9a-f]{128})"\}$/;

const signedBytes = (line: string): Uint8Array => Buffer.from(`sparc reader bundle 1\n${line}`);
const idOf = (line: string): string => createHash('sha256').update(line).digest('hex').slice(0, 16);
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The bytes of a bundle: a line with the signature, the line that it covers, and the payload. */
export function makeBundle(description: BundleDescription, payload: Uint8Array, signer: Signer): Uint8Array {
  const manifest: BundleManifest = {
    ...description,
    payload: { sizeBytes: payload.length, sha256: sha256(payload) },
  };
  const line = JSON.stringify(manifest);
  const signature = toHex(signer.sign(signedBytes(line)));
  return Buffer.concat([Buffer.from(`${JSON.stringify({ signature })}\n${line}\n`), payload]);
}

/**
 * Reads what a bundle says of itself, and checks signature and size: cheap enough for a list. `signers` are raw Ed25519
 * public keys. Throws ERR_BUNDLE_UNREADABLE, ERR_BUNDLE_DAMAGED or ERR_BUNDLE_NOT_AUTHENTIC.
 */
export async function readBundle(path: string, signers: readonly Uint8Array[]): Promise<Bundle> {
  return (await readHeader(path, signers)).bundle;
}

/** As `readBundle`, and gives the payload, compared with its signed digest off this thread. */
export async function readPayload(
  path: string,
  signers: readonly Uint8Array[],
): Promise<Bundle & { readonly payload: Uint8Array }> {
  const { bundle, headerBytes } = await readHeader(path, signers);
  const payload = await readPart(path, headerBytes, bundle.manifest.payload.sizeBytes);
  const digest = toHex(new Uint8Array(await webcrypto.subtle.digest('SHA-256', payload)));
  if (digest !== bundle.manifest.payload.sha256) throw damaged(path, 'its content is not what was signed');
  return { ...bundle, payload };
}

async function readHeader(
  path: string,
  signers: readonly Uint8Array[],
): Promise<{ readonly bundle: Bundle; readonly headerBytes: number }> {
  const text = Buffer.from(await readPart(path, 0, HEADER_MAX_BYTES)).toString('latin1');
  const headEnd = text.indexOf('\n');
  const lineEnd = text.indexOf('\n', headEnd + 1);
  const signature = HEAD.exec(text.slice(0, headEnd))?.[1];
  if (signature === undefined || lineEnd < 0) throw damaged(path, 'it does not begin like one');
  const line = Buffer.from(text.slice(headEnd + 1, lineEnd), 'latin1').toString('utf8');
  if (!signers.some((key) => verifySignature(key, signedBytes(line), Buffer.from(signature, 'hex')))) {
    throw new SparcError('ERR_BUNDLE_NOT_AUTHENTIC', `${path} is signed by nobody whom this gateway trusts`, { path });
  }
  const manifest = parsed(line);
  if (manifest === undefined) throw damaged(path, 'what was signed is no description of a bundle');
  const headerBytes = lineEnd + 1;
  const { size } = await stat(path);
  if (size !== headerBytes + manifest.payload.sizeBytes) throw damaged(path, 'its length is not what was signed');
  return { bundle: { id: idOf(line), manifest }, headerBytes };
}

function parsed(line: string): BundleManifest | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return Value.Check(BundleManifest, value) && value.payload.sizeBytes <= BUNDLE_PAYLOAD_MAX_BYTES
      ? value
      : undefined;
  } catch {
    return undefined;
  }
}

async function readPart(path: string, position: number, lengthMax: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const file = await open(path, 'r');
    try {
      const bytes = new Uint8Array(lengthMax);
      let length = 0;
      for (;;) {
        const { bytesRead } = await file.read(bytes, length, lengthMax - length, position + length);
        length += bytesRead;
        if (bytesRead === 0 || length === lengthMax) return bytes.slice(0, length);
      }
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new SparcError('ERR_BUNDLE_UNREADABLE', `${path}: ${(cause as Error).message}`, { path }, { cause });
  }
}

const damaged = (path: string, why: string): SparcError =>
  new SparcError('ERR_BUNDLE_DAMAGED', `${path}: ${why}`, { path });
