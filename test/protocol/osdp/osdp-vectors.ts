import { readRepositoryFile } from '../../support/repository.js';

export interface FrameVector {
  readonly name: string;
  readonly wire: string;
  readonly address: number;
  readonly reply: boolean;
  readonly sequence: 0 | 1 | 2 | 3;
  readonly crc: boolean;
  readonly code: string;
  readonly payload: string;
}

export interface SessionFrame {
  readonly dir: 'acu' | 'pd';
  readonly wire: string;
  readonly seq: number;
  readonly scb: string | null;
  readonly code: string;
  readonly plain: string;
  readonly icv?: string;
  readonly fullMac?: string;
}

export interface OsdpVectors {
  readonly crc16: { readonly cases: readonly { readonly message: string; readonly crc: string }[] };
  readonly checksum: { readonly cases: readonly { readonly message: string; readonly checksum: string }[] };
  readonly secureChannelKeys: readonly Readonly<
    Record<
      'scbk' | 'rndA' | 'rndB' | 'sEnc' | 'sMac1' | 'sMac2' | 'clientCryptogram' | 'serverCryptogram' | 'rmacI',
      string
    >
  >[];
  readonly frames: readonly FrameVector[];
  readonly sessions: readonly { readonly scbks: readonly string[]; readonly frames: readonly SessionFrame[] }[];
  readonly scenarios: readonly {
    readonly about: string;
    readonly frames: readonly { readonly tMs?: number; readonly dir: 'acu' | 'pd'; readonly wire: string }[];
  }[];
  readonly negative: readonly { readonly name: string; readonly wire: string; readonly expect: string }[];
}

export const VECTORS = JSON.parse(readRepositoryFile('test/vectors/osdp-vectors.json')) as OsdpVectors;

export const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
/** A vector's frame from SOM on, without its mark. */
export const unmarked = (wire: string): Uint8Array => fromHex(wire.replace(/^ff/, ''));
