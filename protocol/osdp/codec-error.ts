/** Why bytes or a value were refused. Each code is explained in the project's registry of errors. */
export type CodecErrorCode =
  /** No valid frame: mark, length, control byte, security block or check. */
  | 'ERR_OSDP_MALFORMED'
  /** A payload shorter or longer than its message (a PD answers NAK 2). */
  | 'ERR_OSDP_LENGTH'
  /** A command or reply code that is not in the registry (a PD answers NAK 3). */
  | 'ERR_OSDP_CODE_UNKNOWN'
  /** A field out of its range (a PD answers NAK 9). */
  | 'ERR_OSDP_VALUE'
  /** A key that somebody could guess. */
  | 'ERR_OSDP_KEY_WEAK'
  /** Authentication or decryption failed: the session is over. */
  | 'ERR_OSDP_MAC'
  /** A line of a capture file that cannot be read. */
  | 'ERR_OSDP_CAPTURE';

/** The only error that the OSDP codecs produce. The message names the field, never the content of a secret. */
export class CodecError extends Error {
  override readonly name = 'CodecError';

  constructor(
    readonly code: CodecErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** What a decoder returns: decoding never throws, whatever the bytes. Encoders throw a {@link CodecError}. */
export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: CodecError };

/** Runs a reader of bytes and turns its CodecError into a value; any other error is a defect and passes through. */
export function decoded<T>(read: () => T): Decoded<T> {
  try {
    return { ok: true, value: read() };
  } catch (error) {
    if (error instanceof CodecError) return { ok: false, error };
    throw error;
  }
}
