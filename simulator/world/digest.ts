/** Folds what happened in a run, in order, to 64 bits (two FNV-1a of 32): two runs with one digest had one history. */
export class RunDigest {
  #a = 0x811c9dc5;
  #b = 0x01000193;
  #count = 0;

  add(line: string): void {
    for (let index = 0; index < line.length; index++) this.#fold(line.charCodeAt(index));
    this.#fold(0x0a);
    this.#count += 1;
  }

  /** How many lines were folded. */
  get count(): number {
    return this.#count;
  }

  /** 16 hexadecimal digits. */
  toString(): string {
    return [this.#a, this.#b].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
  }

  #fold(code: number): void {
    this.#a = Math.imul(this.#a ^ code, 0x01000193);
    this.#b = Math.imul(this.#b ^ (code + 0x9e37), 0x85ebca6b) ^ (this.#b >>> 15);
  }
}
