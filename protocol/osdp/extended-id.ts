import { bytesToUtf8, utf8ToBytes } from '@noble/ciphers/utils.js';
import { ByteReader, ByteWriter } from './byte-cursor.js';
import { type Decoded, decoded } from './codec-error.js';
import { longBytes } from './schema.js';

/** Tags of EXT_PDID; others are kept as they are. Firmware may come several times. */
export const EXTENDED_ID_TAG = {
  manufacturer: 0,
  product: 1,
  serial: 2,
  firmware: 3,
  hardware: 4,
  url: 5,
  configuration: 6,
} as const;

export interface ExtendedIdField {
  readonly tag: number;
  readonly text: string;
}

/** The message that a PD sends in fragments of EXT_PDID. @throws CodecError for a text above 65,535 bytes. */
export function encodeExtendedId(fields: readonly ExtendedIdField[]): Uint8Array {
  const writer = new ByteWriter();
  for (const { tag, text } of fields) {
    writer.putUint(tag, 1);
    longBytes.write(writer, utf8ToBytes(text));
  }
  return writer.finish();
}

export const decodeExtendedId = (message: Uint8Array): Decoded<readonly ExtendedIdField[]> =>
  decoded(() => {
    const reader = new ByteReader(message);
    const fields: ExtendedIdField[] = [];
    while (reader.remaining > 0) fields.push({ tag: reader.takeUint(1), text: bytesToUtf8(longBytes.read(reader)) });
    return fields;
  });
