import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TokenPlace } from '@sparc/cloud-sync/identity';
import { skipWithout } from './peers.js';

const MODULE = '/usr/lib/softhsm/libsofthsm2.so';
const INSTALLED = existsSync(MODULE) && spawnSync('softhsm2-util', ['--version']).error === undefined;

export const SKIP_WITHOUT_SOFTHSM = skipWithout('SoftHSM', INSTALLED, 'apt-get install softhsm2');

/** A token of SoftHSM in a folder of its own, which can be pulled out. One at a time: its module has one configuration a process. */
export class SoftHsm {
  readonly place: TokenPlace = { module: MODULE, token: 'harbour-hsm', pin: '271828' };
  readonly #folder = mkdtempSync(join(tmpdir(), 'sparc-softhsm-'));
  readonly #tokens = join(this.#folder, 'tokens');
  readonly #away = join(this.#folder, 'away');

  constructor() {
    const configuration = join(this.#folder, 'softhsm2.conf');
    writeFileSync(configuration, `directories.tokendir = ${this.#tokens}\nobjectstore.backend = file\n`);
    process.env['SOFTHSM2_CONF'] = configuration;
    mkdirSync(this.#tokens);
    const { token, pin } = this.place;
    const made = spawnSync('softhsm2-util', [
      '--init-token',
      '--free',
      '--label',
      token,
      '--pin',
      pin,
      '--so-pin',
      '271828',
    ]);
    if (made.status !== 0) throw new Error(String(made.stderr));
  }

  pullOut(): void {
    renameSync(this.#tokens, this.#away);
    mkdirSync(this.#tokens);
  }

  plugIn(): void {
    rmdirSync(this.#tokens);
    renameSync(this.#away, this.#tokens);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
