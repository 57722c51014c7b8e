/** What the bench uses of a package that comes without types. */
declare module 'hypercore' {
  import type { Duplex } from 'node:stream';

  export default class Hypercore {
    constructor(folder: string, key?: Uint8Array);
    readonly key: Uint8Array;
    readonly length: number;
    /** Blocks from the first one that are here without a gap. */
    readonly contiguousLength: number;
    ready(): Promise<void>;
    append(blocks: readonly Uint8Array[]): Promise<unknown>;
    /** Of whoever calls (true) or is called (false), or over a stream that another core replicates over. */
    replicate(over: boolean | Duplex): Duplex;
    download(range: { readonly start: number; readonly end: number }): unknown;
    close(): Promise<void>;
  }
}
