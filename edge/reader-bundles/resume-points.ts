import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { replaceFileDurably } from '../platform/index.js';

const Points = Type.Record(
  Type.String(),
  Type.Object({ bundle: Type.String(), serial: Type.Integer(), offset: Type.Integer({ minimum: 0 }) }),
);
type Points = Static<typeof Points>;

/**
 * Where transfers stopped, by device, across restarts of the gateway. A point counts for the same bundle and the same
 * piece of hardware only. It is a hint: the device itself says whether it goes on there.
 */
export class ResumePoints {
  readonly #path: string;
  #points: Points;

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
    this.#write({ ...this.#points, [deviceId]: point });
  }

  forget(deviceId: string): void {
    if (this.#points[deviceId] === undefined) return;
    const { [deviceId]: _, ...others } = this.#points;
    this.#write(others);
  }

  #write(points: Points): void {
    this.#points = points;
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    replaceFileDurably(this.#path, Buffer.from(JSON.stringify(points)));
  }
}

/** What cannot be read costs a transfer its head start, and nothing else. */
function read(path: string): Points {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return Value.Check(Points, value) ? value : {};
  } catch {
    return {};
  }
}
