import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';

const Points = Type.Record(
  Type.String(),
  Type.Object({ bundle: Type.String(), serial: Type.Integer(), offset: Type.Integer({ minimum: 0 }) }),
);
type Points = Static<typeof Points>;

/**
 * Where transfers stopped, by device, across restarts of the gateway. A point counts for the same bundle and the same
 * piece of hardware only. It is a hint: the device itself says whether it goes on there, and most do only at the very byte
 * that they wait for. So each fragment is written, beside what the buses do, and none is flushed: a power cut mostly
 * takes the memory of the device as well.
 */
export class ResumePoints {
  readonly #path: string;
  #points: Points;
  #isWritten = true;
  #writing: Promise<void> | undefined;

  constructor(dataDir: string) {
    this.#path = join(dataDir, 'reader-bundles', 'resume.json');
    this.#points = read(this.#path);
  }

  /** Byte from which on the device lacks the payload. */
  find(deviceId: string, bundle: string, serial: number): number {
    const point = this.#points[deviceId];
    return point?.bundle === bundle && point.serial === serial ? point.offset : 0;
  }

  keep(deviceId: string, point: Points[string]): void {
    this.#change({ ...this.#points, [deviceId]: point });
  }

  forget(deviceId: string): void {
    if (this.#points[deviceId] === undefined) return;
    const { [deviceId]: _, ...others } = this.#points;
    this.#change(others);
  }

  /** Resolves when nothing of it writes to the disk any more. */
  async written(): Promise<void> {
    await this.#writing;
  }

  #change(points: Points): void {
    this.#points = points;
    this.#isWritten = false;
    this.#writing ??= this.#write();
  }

  /** A slow disk gets the newest only. */
  async #write(): Promise<void> {
    while (!this.#isWritten) {
      this.#isWritten = true;
      await replaceFile(this.#path, JSON.stringify(this.#points)).catch(() => undefined);
    }
    this.#writing = undefined;
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(`${path}.tmp`, text);
  await rename(`${path}.tmp`, path);
}

/** What cannot be read, or written, costs a transfer its head start, and nothing else. */
function read(path: string): Points {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return Value.Check(Points, value) ? value : {};
  } catch {
    return {};
  }
}
