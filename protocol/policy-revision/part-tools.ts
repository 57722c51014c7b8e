/** What parts are made with; each platform brings its own. */
export interface PartTools {
  readonly sha256: (message: Uint8Array) => Uint8Array;
  /** Raw DEFLATE (RFC 1951). Equal content gives equal bytes in one version of the software. */
  readonly deflate: (content: Uint8Array) => Uint8Array;
  /** Throws on bytes that are none, or that hold more than `lengthMax`. */
  readonly inflate: (content: Uint8Array, lengthMax: number) => Uint8Array;
}
