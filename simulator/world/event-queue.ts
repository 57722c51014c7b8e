export class QueuedEvent {
  #isCancelled = false;

  constructor(
    readonly atMs: number,
    /** Order of scheduling; decides between events of one instant. */
    readonly sequence: number,
    readonly callback: () => void,
  ) {}

  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  cancel(): void {
    this.#isCancelled = true;
  }
}

const isBefore = (a: QueuedEvent, b: QueuedEvent) => a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence);

/** A binary heap ordered by instant, then by order of scheduling: a total order, so a run has one history. */
export class EventQueue {
  readonly #heap: QueuedEvent[] = [];
  #nextSequence = 0;

  push(atMs: number, callback: () => void): QueuedEvent {
    const event = new QueuedEvent(atMs, this.#nextSequence++, callback);
    this.#heap.push(event);
    this.#rise(this.#heap.length - 1, event);
    return event;
  }

  /** The earliest event that is not cancelled. */
  peek(): QueuedEvent | undefined {
    while (this.#heap[0]?.isCancelled) this.#removeFirst();
    return this.#heap[0];
  }

  pop(): QueuedEvent | undefined {
    const event = this.peek();
    if (event !== undefined) this.#removeFirst();
    return event;
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) this.#sink(last);
  }

  #rise(from: number, event: QueuedEvent): void {
    let index = from;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#heap[parentIndex];
      if (parent === undefined || isBefore(parent, event)) break;
      this.#heap[index] = parent;
      index = parentIndex;
    }
    this.#heap[index] = event;
  }

  #sink(event: QueuedEvent): void {
    let index = 0;
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = this.#heap[childIndex];
      const right = this.#heap[childIndex + 1];
      if (child !== undefined && right !== undefined && isBefore(right, child)) {
        child = right;
        childIndex += 1;
      }
      if (child === undefined || isBefore(event, child)) break;
      this.#heap[index] = child;
      index = childIndex;
    }
    this.#heap[index] = event;
  }
}
