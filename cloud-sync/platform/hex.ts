export const toHex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
/** Of text that is known to be hex. */
export const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
/** The same as the driver of the database takes it. */
export const hexColumn = (text: string): Buffer => Buffer.from(text, 'hex');
