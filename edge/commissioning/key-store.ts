import { join } from 'node:path';
import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { SparcError } from '@sparc/protocol/errors';
import type { Random } from '@sparc/protocol/ports';
import { loadSecretKey, readSecretFile, replaceFileDurablyLater } from '../platform/index.js';
import { HeldKeysJson, heldKeysFromJson, heldKeysToJson } from './held-keys.js';
import type { HeldKeys } from './key-machine.js';
import { NONCE_SIZE_BYTES, seal, unseal } from './sealed-json.js';

/** Of the data directory, mode 0600. */
export const KEY_STORE_FILE = 'osdp-keys.json';
const CONTEXT = 'sparc osdp keys 1';

const StoreFile = Type.Object(
  { version: Type.Literal(1), sealed: Type.String({ pattern: '^[A-Za-z0-9_-]+$' }) },
  { additionalProperties: false },
);

const Content = Type.Object(
  {
    devices: Type.Record(Type.String(), HeldKeysJson),
    /** Digest of the escrow bundle that the keys came from, until the gateway has recorded it. */
    restored: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
);

/**
 * The keys that the gateway gave to its devices, by device id: encrypted on disk with a key of its own in `secrets`, so
 * that a copy of the file alone opens nothing, and replaced whole.
 */
export class KeyStore {
  #turns: Promise<void> = Promise.resolve();

  private constructor(
    private readonly path: string,
    private readonly sealingKey: Uint8Array,
    private readonly random: Random,
    private readonly content: { devices: Record<string, HeldKeysJson>; restored?: string | undefined },
  ) {}

  /**
   * Makes the sealing key where there is none. Throws ERR_COMMISSIONING_KEYS_DAMAGED, ERR_CONFIG_SECRET_EXPOSED,
   * ERR_CONFIG_SECRET_CORRUPT or ERR_CONFIG_UNREADABLE.
   */
  static load(dataDir: string, random: Random): KeyStore {
    const path = join(dataDir, KEY_STORE_FILE);
    const sealingKey = loadSecretKey(join(dataDir, 'secrets', 'osdp-store.key'), random);
    const bytes = readSecretFile(path);
    return new KeyStore(
      path,
      sealingKey,
      random,
      bytes === undefined ? { devices: {} } : open(bytes, sealingKey, path),
    );
  }

  get devices(): ReadonlyMap<string, HeldKeys> {
    return new Map(Object.entries(this.content.devices).map(([id, keys]) => [id, heldKeysFromJson(keys)]));
  }

  get restored(): string | undefined {
    return this.content.restored;
  }

  /** Resolves when it is on disk; rejects with what the disk says, and is then on disk with the next that succeeds. */
  set(deviceId: string, keys: HeldKeys): Promise<void> {
    this.content.devices[deviceId] = heldKeysToJson(keys);
    return this.#write();
  }

  /** Every key at once, from an escrow bundle. */
  restore(devices: ReadonlyMap<string, HeldKeys>, digest: string): Promise<void> {
    for (const [id, keys] of devices) this.content.devices[id] = heldKeysToJson(keys);
    this.content.restored = digest;
    return this.#write();
  }

  /** The restore is on record. */
  forgetRestored(): Promise<void> {
    delete this.content.restored;
    return this.#write();
  }

  #write(): Promise<void> {
    const content: Static<typeof Content> = JSON.parse(JSON.stringify(this.content)) as Static<typeof Content>;
    const written = this.#turns.then(() => {
      const sealed = seal(this.sealingKey, this.random.bytes(NONCE_SIZE_BYTES), CONTEXT, content);
      const file: Static<typeof StoreFile> = { version: 1, sealed: Buffer.from(sealed).toString('base64url') };
      return replaceFileDurablyLater(this.path, Buffer.from(`${JSON.stringify(file)}\n`), 0o600);
    });
    this.#turns = written.catch(() => undefined);
    return written;
  }
}

function open(bytes: Uint8Array, sealingKey: Uint8Array, path: string): Static<typeof Content> {
  const damaged = () => new SparcError('ERR_COMMISSIONING_KEYS_DAMAGED', `${path} cannot be opened`, { path });
  const file = parse(bytes);
  if (!Value.Check(StoreFile, file)) throw damaged();
  const content = unseal(sealingKey, CONTEXT, Buffer.from(file.sealed, 'base64url'));
  if (!Value.Check(Content, content)) throw damaged();
  return content;
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
