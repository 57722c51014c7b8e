import type { ByteReader, ByteWriter } from './byte-cursor.js';
import { CodecError } from './codec-error.js';
import { hexToBytes, bytesToHex } from './hex.js';

/** How one value stands on the wire. `read` and `write` throw only {@link CodecError}. */
export interface Codec<T> {
  read(reader: ByteReader): T;
  write(writer: ByteWriter, value: T): void;
  /** The value as text. Secrets come out masked unless somebody who holds the keys of the line asks to see them. */
  format(value: T, secretsShown: boolean): string;
}

/** The TypeScript type of the values of a codec. */
export type ValueOf<C> = C extends Codec<infer T> ? T : never;

type Fields = Readonly<Record<string, Codec<unknown>>>;
type ValuesOf<F> = { readonly [K in keyof F]: ValueOf<F[K]> };

const refuse = (what: string): never => {
  throw new CodecError('ERR_OSDP_VALUE', what);
};

function uint(size: number): Codec<number> {
  const max = 256 ** size - 1;
  return {
    read: (reader) => reader.takeUint(size),
    write(writer, value) {
      if (!Number.isInteger(value) || value < 0 || value > max) refuse(`an integer from 0 to ${max} is needed`);
      writer.putUint(value, size);
    },
    format: String,
  };
}

export const u8 = uint(1);
/** Little-endian, as every integer of OSDP. */
export const u16 = uint(2);
export const u32 = uint(4);

/** Little-endian, two's complement. */
export const i16: Codec<number> = {
  read: (reader) => (reader.takeUint(2) << 16) >> 16,
  write(writer, value) {
    if (!Number.isInteger(value) || value < -0x8000 || value > 0x7fff)
      refuse('an integer from -32768 to 32767 is needed');
    writer.putUint(value & 0xffff, 2);
  },
  format: String,
};

/** One byte: 0 is false, anything else true; written as 0 or 1. */
export const flag: Codec<boolean> = {
  read: (reader) => reader.takeUint(1) !== 0,
  write: (writer, value) => writer.putUint(value ? 1 : 0, 1),
  format: String,
};

/** Exactly `length` bytes. */
export function bytes(length: number): Codec<Uint8Array> {
  return {
    read: (reader) => reader.take(length),
    write(writer, value) {
      if (value.length !== length) refuse(`${length} bytes are needed`);
      writer.put(value);
    },
    format: bytesToHex,
  };
}

/** Exactly `length` bytes, as lower-case hexadecimal text: for identifiers such as a vendor's OUI. */
export function hex(length: number): Codec<string> {
  return {
    read: (reader) => bytesToHex(reader.take(length)),
    write(writer, value) {
      const content = hexToBytes(value);
      if (content?.length !== length) return refuse(`${2 * length} hexadecimal digits are needed`);
      writer.put(content);
    },
    format: String,
  };
}

/** Everything up to the end of the payload. */
export const rest: Codec<Uint8Array> = {
  read: (reader) => reader.take(reader.remaining),
  write: (writer, value) => writer.put(value),
  format: bytesToHex,
};

function counted(countSize: 1 | 2): Codec<Uint8Array> {
  const max = 256 ** countSize - 1;
  return {
    read: (reader) => reader.take(reader.takeUint(countSize)),
    write(writer, value) {
      if (value.length > max) refuse(`at most ${max} bytes fit`);
      writer.putUint(value.length, countSize);
      writer.put(value);
    },
    format: bytesToHex,
  };
}

/** A count byte and so many bytes. */
export const countedBytes = counted(1);
/** A count of two bytes and so many bytes. */
export const longBytes = counted(2);

/** A count byte and so many printable ASCII characters, 0x20 to 0x7E. */
export const countedText: Codec<string> = {
  read: (reader) => printable(String.fromCharCode(...countedBytes.read(reader))),
  write: (writer, value) =>
    countedBytes.write(
      writer,
      Uint8Array.from(printable(value), (character) => character.charCodeAt(0)),
    ),
  format: (value) => JSON.stringify(value),
};

function printable(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : refuse('only printable ASCII is allowed');
}

/** Items up to the end of the payload, at least `countMin` of them. A tail of at most `tailSizeMax` bytes is read over. */
export function list<T>(item: Codec<T>, countMin: 0 | 1, tailSizeMax = 0): Codec<readonly T[]> {
  return {
    read(reader) {
      const values: T[] = [];
      while (reader.remaining > tailSizeMax) values.push(item.read(reader));
      reader.take(reader.remaining);
      if (values.length < countMin) throw new CodecError('ERR_OSDP_LENGTH', 'at least one record is needed');
      return values;
    },
    write(writer, values) {
      if (values.length < countMin) refuse('at least one record is needed');
      for (const value of values) item.write(writer, value);
    },
    format: (values, secretsShown) => `[${values.map((value) => item.format(value, secretsShown)).join(', ')}]`,
  };
}

/** Named fields, one after the other. */
export function struct<const F extends Fields>(fields: F): Codec<ValuesOf<F>> {
  const entries = Object.entries(fields);
  return {
    read: (reader) => Object.fromEntries(entries.map(([name, field]) => [name, field.read(reader)])) as ValuesOf<F>,
    write(writer, value) {
      for (const [name, field] of entries) within(name, () => field.write(writer, value[name]));
    },
    format: (value, secretsShown) =>
      `{${entries.map(([name, field]) => `${name}=${field.format(value[name], secretsShown)}`).join(' ')}}`,
  };
}

function within(name: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    throw error instanceof CodecError ? new CodecError(error.code, `${name}: ${error.message}`) : error;
  }
}

/** A codec whose values obey a rule across fields; `problem` returns what is wrong with a value, or undefined. */
export function obeying<T>(codec: Codec<T>, problem: (value: T) => string | undefined): Codec<T> {
  const check = (value: T): T => {
    const found = problem(value);
    return found === undefined ? value : refuse(found);
  };
  return {
    ...codec,
    read: (reader) => check(codec.read(reader)),
    write: (writer, value) => codec.write(writer, check(value)),
  };
}

/** Reads over whatever follows the value: some devices append to a message of fixed length. */
export function tailed<T>(codec: Codec<T>): Codec<T> {
  return {
    ...codec,
    read(reader) {
      const value = codec.read(reader);
      reader.take(reader.remaining);
      return value;
    },
  };
}

/** Marks keys, PINs, card numbers and what may hold them: text for logs shows only that there is a value. */
export function secret<T>(codec: Codec<T>): Codec<T> {
  return { ...codec, format: (value, secretsShown) => (secretsShown ? codec.format(value, true) : '***') };
}
