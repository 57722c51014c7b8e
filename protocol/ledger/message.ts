import protobuf from 'protobufjs/minimal.js';
import { SparcError } from '../errors/index.js';

const { Reader, Writer } = protobuf;
type Reader = protobuf.Reader;
type Writer = protobuf.Writer;

/** How one value goes over the wire: `write` and `read` see the value alone, after its tag. */
export interface Codec<T> {
  /** 0 varint, 1 eight bytes, 2 length and bytes. */
  readonly wireType: 0 | 1 | 2;
  /** Throws ERR_LEDGER_MALFORMED on a value out of range. */
  write(writer: Writer, value: T): void;
  /** Throws on anything that `write` would not write. */
  read(reader: Reader): T;
}

type Presence = 'required' | 'optional' | 'list';
interface Field<C, P extends Presence> {
  readonly tag: number;
  readonly presence: P;
  readonly codec: C;
  readonly countMax: number;
}
/** A codec whose type of values is not known here. */
interface AnyCodec {
  readonly wireType: 0 | 1 | 2;
  write(writer: Writer, value: never): void;
  read(reader: Reader): unknown;
}
type Fields = Readonly<Record<string, Field<AnyCodec, Presence>>>;

type ValueOf<F> = F extends Field<Codec<infer T>, infer P> ? (P extends 'list' ? readonly T[] : T) : never;
type OptionalKeys<F extends Fields> = { [K in keyof F]: F[K]['presence'] extends 'optional' ? K : never }[keyof F];
type MessageValue<F extends Fields> = { readonly [K in Exclude<keyof F, OptionalKeys<F>>]: ValueOf<F[K]> } & {
  readonly [K in OptionalKeys<F>]?: ValueOf<F[K]>;
};
/** The type of a schema's values. */
export type Infer<C> = C extends Codec<infer T> ? { [K in keyof T]: T[K] } : never;

export interface Message<T> extends Codec<T> {
  /** Deterministic: one value has one encoding. Throws ERR_LEDGER_MALFORMED on a value out of range. */
  encode(value: T): Uint8Array;
  /** Total: a value, or ERR_LEDGER_MALFORMED. Fields that the schema does not know are skipped. */
  decode(bytes: Uint8Array): T;
}

export const required = <T>(tag: number, codec: Codec<T>) => field(tag, codec, 'required', 1);
export const optional = <T>(tag: number, codec: Codec<T>) => field(tag, codec, 'optional', 1);
/** Any number of values up to `countMax`; none and absent are the same. */
export const list = <T>(tag: number, codec: Codec<T>, countMax: number) => field(tag, codec, 'list', countMax);

const field = <C, P extends Presence>(tag: number, codec: C, presence: P, countMax: number): Field<C, P> => ({
  tag,
  codec,
  presence,
  countMax,
});

export function malformed(message: string, cause?: unknown): SparcError {
  return new SparcError('ERR_LEDGER_MALFORMED', message, {}, { cause });
}

/**
 * A protobuf message (proto3 wire format) from its fields. Fields are written in the order of their tags and must
 * arrive in it, each at most once where it is no list: one value, one encoding.
 */
export function message<F extends Fields>(fields: F): Message<MessageValue<F>> {
  type Value = MessageValue<F>;
  const ordered: readonly { readonly name: string; readonly field: Field<Codec<unknown>, Presence> }[] = Object.entries(
    fields,
  )
    .map(([name, field]) => ({ name, field }))
    .sort((a, b) => a.field.tag - b.field.tag);
  const byTag = new Map(ordered.map((entry) => [entry.field.tag, entry]));
  const lists = ordered.filter(({ field }) => field.presence === 'list').map(({ name }) => name);
  const needed = ordered.filter(({ field }) => field.presence === 'required').map(({ name }) => name);

  function writeFields(writer: Writer, value: Value): void {
    const values = value as Readonly<Record<string, unknown>>;
    for (const { name, field } of ordered) {
      const one = values[name];
      if (one === undefined) {
        if (field.presence !== 'optional') throw malformed(`${name} is missing`);
        continue;
      }
      const many = field.presence === 'list' ? (one as readonly unknown[]) : [one];
      if (many.length > field.countMax) throw malformed(`${name} has more than ${field.countMax} values`);
      for (const element of many) {
        writer.uint32((field.tag << 3) | field.codec.wireType);
        field.codec.write(writer, element);
      }
    }
  }

  function readFields(reader: Reader): Value {
    const values: Record<string, unknown> = {};
    for (const name of lists) values[name] = [];
    let lastTag = 0;
    while (reader.pos < reader.len) {
      const key = reader.uint32();
      const tag = key >>> 3;
      const known = byTag.get(tag);
      if (tag < lastTag || tag === 0) throw malformed('fields out of order');
      if (known === undefined) {
        if ((key & 7) === 3 || (key & 7) === 4) throw malformed('a group, which is none of ours');
        reader.skipType(key & 7);
      } else {
        const { name, field } = known;
        if ((key & 7) !== field.codec.wireType) throw malformed(`${name} has another wire type`);
        const element = field.codec.read(reader);
        if (field.presence === 'list') {
          const elements = values[name] as unknown[];
          if (elements.push(element) > field.countMax)
            throw malformed(`${name} has more than ${field.countMax} values`);
        } else {
          if (tag === lastTag) throw malformed(`${name} is there twice`);
          values[name] = element;
        }
      }
      lastTag = tag;
    }
    for (const name of needed) if (values[name] === undefined) throw malformed(`${name} is missing`);
    return values as Value;
  }

  const self: Message<Value> = {
    wireType: 2,
    write(writer, value) {
      writer.fork();
      writeFields(writer, value);
      writer.ldelim();
    },
    read: (reader) => readFields(new Reader(reader.bytes())),
    encode(value) {
      const writer = new Writer();
      writeFields(writer, value);
      return writer.finish();
    },
    decode(bytes) {
      try {
        return readFields(new Reader(bytes));
      } catch (error) {
        throw error instanceof SparcError ? error : malformed('bytes end early or are no message', error);
      }
    },
  };
  return self;
}
