import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { HLC_COUNTER_MAX, type Hlc } from '../hlc/index.js';
import { malformed, type Codec, type Message } from './message.js';

/** An unsigned integer up to `max`, at most 2^53 - 1. */
export function uint(max = Number.MAX_SAFE_INTEGER): Codec<number> {
  const checked = (value: number) => {
    if (Number.isSafeInteger(value) && value >= 0 && value <= max) return value;
    throw malformed(`${value} is no integer from 0 to ${max}`);
  };
  return {
    wireType: 0,
    write: (writer, value) => void writer.uint64(checked(value)),
    read: (reader) => checked(numberOf(reader.uint64())),
  };
}

/** A number, or its halves where the library `long` is there; `Number` of these would go over their decimal digits. */
const numberOf = (value: number | { readonly low: number; readonly high: number }): number =>
  typeof value === 'number' ? value : (value.high >>> 0) * 2 ** 32 + (value.low >>> 0);

/** IEEE 754; no NaN, which has many encodings. */
export const double: Codec<number> = {
  wireType: 1,
  write(writer, value) {
    if (Number.isNaN(value)) throw malformed('not a number');
    writer.double(value);
  },
  read(reader) {
    const value = reader.double();
    if (Number.isNaN(value)) throw malformed('not a number');
    return value;
  },
};

export const flag: Codec<boolean> = mapped(
  uint(1),
  (value) => value === 1,
  (value) => (value ? 1 : 0),
);

/** Of what one unit of a string becomes. */
const UTF8_BYTES_MAX = 3;

/** UTF-8 of at most `bytesMax` bytes; no lone surrogates, which UTF-8 cannot carry. */
export function text(bytesMax: number): Codec<string> {
  return {
    wireType: 2,
    write(writer, value) {
      if (/\p{Surrogate}/u.test(value)) throw malformed('text with a lone surrogate');
      if (UTF8_BYTES_MAX * value.length > bytesMax && utf8Length(value) > bytesMax)
        throw malformed(`text longer than ${bytesMax} bytes`);
      writer.string(value);
    },
    read(reader) {
      const start = reader.pos;
      const value = reader.stringVerify();
      if (reader.pos - start > bytesMax && utf8Length(value) > bytesMax)
        throw malformed(`text longer than ${bytesMax} bytes`);
      return value;
    },
  };
}

export function bytes(lengthMin: number, lengthMax = lengthMin): Codec<Uint8Array> {
  const inPlace = bytesInPlace(lengthMin, lengthMax);
  return { ...inPlace, read: (reader) => new Uint8Array(inPlace.read(reader)) };
}

/** As `bytes`, but a part of what is read instead of a copy of it: for what is hashed and stored at once, and not kept. */
export function bytesInPlace(lengthMin: number, lengthMax: number): Codec<Uint8Array> {
  const checked = (value: Uint8Array) => {
    if (value.length >= lengthMin && value.length <= lengthMax) return value;
    throw malformed(`${value.length} bytes where ${lengthMin} to ${lengthMax} belong`);
  };
  return {
    wireType: 2,
    write: (writer, value) => void writer.bytes(checked(value)),
    read: (reader) => checked(reader.bytes()),
  };
}

/** Bytes of a fixed length that the program holds as lower-case hex. */
export const hex = (length: number): Codec<string> =>
  mapped(bytes(length), bytesToHex, (value) => {
    if (!/^(?:[0-9a-f]{2})*$/.test(value)) throw malformed('not lower-case hex');
    return hexToBytes(value);
  });

/** A closed vocabulary by its index; its order is part of the format, new words go to the end. */
export const oneOf = <const T extends string>(words: readonly T[]): Codec<T> =>
  mapped(
    uint(words.length - 1),
    (index) => words[index] as T,
    (word) => words.indexOf(word),
  );

/** The 64 bits of the clock as one little-endian number: milliseconds above, counter below. */
export const hlcStamp: Codec<Hlc> = {
  wireType: 1,
  write(writer, { unixMs, counter }) {
    const high = Math.floor(unixMs / 2 ** 16);
    const low = (unixMs % 2 ** 16) * 2 ** 16 + counter;
    if (!(counter >= 0 && counter <= HLC_COUNTER_MAX)) throw malformed('clock counter out of range');
    if (!(unixMs >= 0 && high < 2 ** 32)) throw malformed('clock out of range');
    writer.fixed32(low).fixed32(high);
  },
  read(reader) {
    const low = reader.fixed32();
    const high = reader.fixed32();
    return { unixMs: high * 2 ** 16 + (low >>> 16), counter: low & 0xffff };
  },
};

/** As the message itself, for values that are written time and again and are never changed: each is encoded once. */
export function kept<T extends object>(message: Message<T>): Codec<T> {
  const encoded = new WeakMap<T, Uint8Array>();
  return {
    wireType: message.wireType,
    write(writer, value) {
      const known = encoded.get(value) ?? message.encode(value);
      encoded.set(value, known);
      writer.bytes(known);
    },
    read: (reader) => message.read(reader),
  };
}

export function mapped<T, U>(codec: Codec<T>, decoded: (value: T) => U, encoded: (value: U) => T): Codec<U> {
  return {
    wireType: codec.wireType,
    write: (writer, value) => codec.write(writer, encoded(value)),
    read: (reader) => decoded(codec.read(reader)),
  };
}

function utf8Length(value: string): number {
  let length = 0;
  for (const character of value) {
    const point = character.codePointAt(0) ?? 0;
    length += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return length;
}
