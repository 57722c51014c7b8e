import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Credential, Door, Input, SiteFile } from '@sparc/protocol/policy';
import type { Clock } from '@sparc/protocol/ports';
import type { FieldPolicy } from '@sparc/edge/field';
import { Database, loadIdentity, nodeRandom, verifySignature } from '@sparc/edge/platform';
import {
  applySiteFile,
  buildSite,
  loadEmergencyCredentials,
  SqlitePolicyView,
  validateSiteFile,
} from '@sparc/edge/policy';
import { siteText, type SiteChanges } from './site-changes.js';

const PIN_KEY = new Uint8Array(32).fill(7);

type Named = { readonly id: string };

function find<T extends Named>(list: readonly T[], id: string, what: string): T {
  const found = list.find((each) => each.id === id);
  if (found === undefined) throw new Error(`the site has no ${what} ${id}`);
  return found;
}

interface Built {
  readonly file: SiteFile;
  readonly database: Buffer;
}

/** Most scenarios share their site with others. */
const sites = new Map<string, Built>();

function built(name: string, text: string, revision: string): Built {
  const key = `${revision} ${text}`;
  let site = sites.get(key);
  if (site === undefined) {
    const file = validateSiteFile(text, `${name}.yaml, as the scenario changes it`);
    const database = buildSite(file, { path: ':memory:', revision, pinKey: PIN_KEY });
    sites.set(key, (site = { file, database: database.serialize() }));
    database.close();
  }
  return site;
}

/** An output or a reader of a device. */
export interface Port {
  readonly device: string;
  readonly number: number;
}

/**
 * One revision of a scenario's site: its file as the product reads it, and the store that was built from it. What would be
 * refused in a site file is refused here; throws as `validateSiteFile`.
 */
export class ScenarioSite {
  readonly view: SqlitePolicyView;
  readonly #text: string;
  readonly #file: SiteFile;

  constructor(
    private readonly name: string,
    private readonly changes: readonly SiteChanges[],
    readonly revision: string,
  ) {
    this.#text = siteText(name, changes);
    const { file, database } = built(name, this.#text, revision);
    this.#file = file;
    this.view = new SqlitePolicyView(new Database(database), PIN_KEY);
  }

  changed(changes: SiteChanges, revision: string): ScenarioSite {
    return new ScenarioSite(this.name, [...this.changes, changes], revision);
  }

  get timeZone(): string {
    return this.#file.site.timeZone;
  }

  get deviceIds(): readonly string[] {
    return this.#file.devices.map(({ id }) => id);
  }

  inputsOf(deviceId: string): readonly Input[] {
    return this.#file.inputs.filter(({ device }) => device === deviceId);
  }

  input(inputId: string): Input {
    return find(this.#file.inputs, inputId, 'input');
  }

  door(doorId: string): Door {
    return find(this.#file.doors, doorId, 'door');
  }

  contactOf(doorId: string): string {
    const { contact } = this.door(doorId);
    if (!contact) throw new Error(`door ${doorId} has no contact`);
    return contact.input;
  }

  exitButtonOf(doorId: string): string {
    const { exitRequest } = this.door(doorId);
    if (!exitRequest) throw new Error(`door ${doorId} has no exit request`);
    return exitRequest.input;
  }

  output(outputId: string): Port {
    return find(this.#file.outputs, outputId, 'output');
  }

  readerAt(pointId: string): Port {
    const { reader } = find(this.#file.accessPoints, pointId, 'access point');
    return find(this.#file.readers, reader, 'reader');
  }

  credential(credentialId: string): Credential {
    return find(this.#file.credentials, credentialId, 'credential');
  }

  get policy(): FieldPolicy {
    return { kind: 'policy', view: this.view, plan: this.view.plan };
  }

  /** What a gateway has left when no generation is readable: the signed file beside the last one. */
  withoutPolicy(clock: Clock): FieldPolicy {
    const dataDir = mkdtempSync(join(tmpdir(), 'sparc-scenario-'));
    try {
      const signer = loadIdentity(dataDir);
      const verify = (bytes: Uint8Array, signature: Uint8Array) => verifySignature(signer.publicKey, bytes, signature);
      const signing = { dataDir, signer, verify, random: nodeRandom, clock, pinKey: PIN_KEY };
      applySiteFile({ ...signing, text: this.#text, fileName: this.name });
      const emergency = loadEmergencyCredentials(dataDir, verify);
      return emergency === undefined ? { kind: 'none' } : { kind: 'none', emergency };
    } finally {
      rmSync(dataDir, { recursive: true });
    }
  }
}
