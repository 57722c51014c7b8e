import type { Command } from './commands.js';
import { type Codec, hex, struct, u16, u8 } from './schema.js';
import type { Dialect } from './tolerance.js';

/** An object of a PIV card (SP 800-73) and where in it to begin. */
export interface PivObject {
  /** BER-TLV tag of three bytes, such as `5fc102` for the CHUID. */
  readonly objectId: string;
  readonly element: number;
  readonly offset: number;
}

/** With the bytes that the offset has on the wire, 1 or 2: stacks disagree. */
export interface SizedPivObject extends PivObject {
  readonly offsetSize: number;
}

const tag = struct({ objectId: hex(3), element: u8 });

export const pivObject: Codec<SizedPivObject> = {
  read(reader) {
    const { objectId, element } = tag.read(reader);
    const offsetSize = reader.remaining === 1 ? 1 : 2;
    return { objectId, element, offset: reader.takeUint(offsetSize), offsetSize };
  },
  write(writer, value) {
    tag.write(writer, value);
    (value.offsetSize === 1 ? u8 : u16).write(writer, value.offset);
  },
  format: ({ objectId, element, offset }) => `{objectId=${objectId} element=${element} offset=${offset}}`,
};

/** The command that asks a PD of this dialect for an object. */
export const pivDataCommand = (
  object: PivObject,
  { pivOffsetSize }: Dialect,
): Extract<Command, { name: 'PIVDATA' }> => ({ name: 'PIVDATA', ...object, offsetSize: pivOffsetSize });
