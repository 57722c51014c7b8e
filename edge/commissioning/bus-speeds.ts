import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { baudRateOf, type BusConfig } from '../config/index.js';
import { replaceFileDurablyLater } from '../platform/index.js';

/** Of the data directory. */
export const BUS_SPEEDS_FILE = 'bus-speeds.json';

const Speeds = Type.Record(
  Type.String(),
  Type.Object(
    {
      /** What the configuration said at that time: when it says something else now, a person has decided anew. */
      configured: Type.Integer(),
      speed: Type.Integer(),
      /** A change to this speed was begun and not ended: devices may be at either. */
      tried: Type.Optional(Type.Integer()),
    },
    { additionalProperties: false },
  ),
);
type Speeds = Static<typeof Speeds>;

/** The speeds that commissioning gave to buses, in bits a second: they outlive the gateway, as they do in the devices. */
export class BusSpeeds {
  #speeds: Speeds;
  #turns: Promise<void> = Promise.resolve();

  /** A file that cannot be read counts as none: the configuration says where to begin. */
  constructor(private readonly dataDir: string) {
    this.#speeds = read(join(dataDir, BUS_SPEEDS_FILE));
  }

  speedOf(config: BusConfig): number {
    return this.#valid(config)?.speed ?? baudRateOf(config);
  }

  /** The speed of a change that a gateway began and could not end. */
  triedOf(config: BusConfig): number | undefined {
    return this.#valid(config)?.tried;
  }

  /** Resolves when it is on disk. */
  set(config: BusConfig, speed: number, tried?: number): Promise<void> {
    const entry = { configured: baudRateOf(config), speed, ...(tried === undefined ? {} : { tried }) };
    this.#speeds = { ...this.#speeds, [config.id]: entry };
    const bytes = Buffer.from(`${JSON.stringify(this.#speeds)}\n`);
    const written = this.#turns.then(() => replaceFileDurablyLater(join(this.dataDir, BUS_SPEEDS_FILE), bytes, 0o600));
    this.#turns = written.catch(() => undefined);
    return written;
  }

  #valid(config: BusConfig): Speeds[string] | undefined {
    const entry = this.#speeds[config.id];
    return entry?.configured === baudRateOf(config) ? entry : undefined;
  }
}

function read(path: string): Speeds {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return Value.Check(Speeds, value) ? value : {};
  } catch {
    return {};
  }
}
