import { ByteReader, ByteWriter } from './byte-cursor.js';
import { CodecError, type Decoded, decoded } from './codec-error.js';
import type { Codec } from './schema.js';

/** A command or reply: its name, its code on the wire and its payload. */
export interface MessageSchema<N extends string, T> {
  readonly name: N;
  readonly code: number;
  readonly payload: Codec<T>;
}

export const message = <const N extends string, T>(name: N, code: number, payload: Codec<T>): MessageSchema<N, T> => ({
  name,
  code,
  payload,
});

type Flat<T> = { readonly [K in keyof T]: T[K] };

/** The union of the values of a registry, told apart by `name`. */
export type MessageOf<S> = S extends MessageSchema<infer N, infer T> ? Flat<{ readonly name: N } & T> : never;

/** The code and payload of a frame, before encryption. */
export interface EncodedMessage {
  readonly code: number;
  readonly payload: Uint8Array;
}

/** Encodes, decodes and prints the messages of one direction: their codes overlap with those of the other. */
export class MessageRegistry<S extends MessageSchema<string, unknown>> {
  readonly #byName: ReadonlyMap<string, S>;
  readonly #byCode: ReadonlyMap<number, S>;

  constructor(schemas: readonly S[]) {
    this.#byName = new Map(schemas.map((schema) => [schema.name, schema]));
    this.#byCode = new Map(schemas.map((schema) => [schema.code, schema]));
  }

  encode(value: MessageOf<S> & { readonly name: string }): EncodedMessage {
    const schema = this.#named(value.name);
    const writer = new ByteWriter();
    schema.payload.write(writer, value);
    return { code: schema.code, payload: writer.finish() };
  }

  decode({ code, payload }: EncodedMessage): Decoded<MessageOf<S>> {
    return decoded(() => {
      const schema = this.#byCode.get(code);
      if (schema === undefined) {
        throw new CodecError('ERR_OSDP_CODE_UNKNOWN', `code 0x${code.toString(16)} is not in the registry`);
      }
      const reader = new ByteReader(payload);
      const fields = schema.payload.read(reader) as object;
      if (reader.remaining > 0) {
        throw new CodecError('ERR_OSDP_LENGTH', `${schema.name} has ${reader.remaining} bytes too many`);
      }
      return { name: schema.name, ...fields } as MessageOf<S>;
    });
  }

  describe(value: MessageOf<S> & { readonly name: string }, secretsShown: boolean): string {
    return `${value.name} ${this.#named(value.name).payload.format(value, secretsShown)}`;
  }

  #named(name: string): S {
    const schema = this.#byName.get(name);
    if (schema === undefined) throw new CodecError('ERR_OSDP_CODE_UNKNOWN', `${name} is not in the registry`);
    return schema;
  }
}
