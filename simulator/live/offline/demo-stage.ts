import { setTimeout as pause } from 'node:timers/promises';
import { SparcError } from '@sparc/protocol/errors';
import type { Demo, RunningDemo } from '../demo.js';
import { DEMO_GATEWAYS } from '../demo-gateways.js';
import { LiveCrowd } from './live-crowd.js';
import type { OfflineStage } from './offline-scenario.js';

/** For a machine that has other things to do as well. */
const COMES_ABOUT_MAX_MS = 40_000;
const LOOK_INTERVAL_MS = 50;

/** What is used of `GET /api/mesh`. */
interface MeshView {
  readonly members: readonly { readonly name: string; readonly hereSinceUnixMs?: number }[];
  readonly logs: readonly { readonly author: string; readonly heads: readonly { readonly hash: string }[] }[];
}

/** The demo as a scenario plays on it. */
export class DemoStage implements OfflineStage {
  readonly crowd: LiveCrowd;
  readonly #startedAtMs = performance.now();

  constructor(
    private readonly demo: Demo,
    private readonly running: RunningDemo,
    private readonly print: (line: string) => void,
  ) {
    this.crowd = new LiveCrowd(running.site, running.live);
  }

  come(doors: readonly string[], count: number): Promise<void> {
    return this.crowd.come(doors, count);
  }

  enter(doors: readonly string[]): Promise<void> {
    return this.crowd.enter(doors);
  }

  leave(doors: readonly string[]): Promise<void> {
    return this.crowd.leave(doors);
  }

  setCut(cables: readonly string[], isCut: boolean): void {
    for (const cable of cables) this.running.mesh.setCut(cable, isCut);
  }

  kill(gateway: string): Promise<void> {
    return this.running.mesh.gateway(gateway).kill();
  }

  start(gateway: string): Promise<void> {
    return this.running.mesh.gateway(gateway).start();
  }

  /** A command that fails is part of the story; what it was to do is looked at in the journals. */
  async direct(gateway: string, ...words: readonly string[]): Promise<string> {
    const { folder } = this.demo;
    const options = ['--key', folder.operatorKeyFile, '--config', folder.gateway(gateway).configFile];
    return this.demo.runSparc('site', ...words, ...options).catch((error: unknown) => (error as Error).message);
  }

  async hears(gateway: string, neighbours: readonly string[]): Promise<number> {
    const expected = [...neighbours].sort().join();
    return this.#comesAbout(`${gateway} hears ${expected || 'nobody'}`, async () => {
      const { members } = await this.#ask<MeshView>(gateway, 'mesh');
      const here = members.flatMap(({ name, hereSinceUnixMs }) =>
        hereSinceUnixMs === undefined ? [] : [{ name, hereSinceUnixMs }],
      );
      const names = here.map(({ name }) => name).sort();
      if (names.join() !== expected) return undefined;
      return Math.max(0, ...here.map(({ hereSinceUnixMs }) => hereSinceUnixMs));
    });
  }

  async stands(gateway: string, raisesCount: number): Promise<void> {
    await this.#comesAbout(`${raisesCount} raises at ${gateway}`, async () => {
      const { mode } = await this.#ask<{ readonly mode: { readonly raises: readonly unknown[] } }>(gateway, 'site');
      return mode.raises.length === raisesCount || undefined;
    });
  }

  async agree(): Promise<void> {
    await this.#comesAbout('the same logs at all gateways', async () => {
      const heads = await Promise.all(
        DEMO_GATEWAYS.map(async ({ id }) => {
          const { logs } = await this.#ask<MeshView>(id, 'mesh');
          return logs
            .flatMap((log) => log.heads.map(({ hash }) => hash))
            .sort()
            .join();
        }),
      );
      return new Set(heads).size === 1 || undefined;
    });
  }

  /** Every device that has a key speaks with its gateway. */
  async isWired(): Promise<void> {
    await this.#comesAbout('secure channels of all readers', async () => {
      const devices = [...this.running.live.devices.values()];
      return devices.every(({ secure, memory }) => secure || memory.scbk === undefined) || undefined;
    });
  }

  nowUnixMs(): number {
    return Date.now();
  }

  say(act: string): void {
    const seconds = (performance.now() - this.#startedAtMs) / 1_000;
    this.print(`${seconds.toFixed(1).padStart(6)} s  ${act}`);
  }

  quote(text: string): void {
    for (const line of text.trimEnd().split('\n')) this.print(`          | ${line}`);
  }

  async #ask<T>(gateway: string, path: string): Promise<T> {
    const { pageUrl } = this.running.mesh.gateway(gateway);
    return (await (await fetch(`${pageUrl}api/${path}`)).json()) as T;
  }

  /** A gateway that does not answer is asked again. Throws ERR_SIMULATOR_SCENARIO. */
  async #comesAbout<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    const givesUpAtMs = performance.now() + COMES_ABOUT_MAX_MS;
    for (;;) {
      const found = await look().catch(() => undefined);
      if (found !== undefined) return found;
      if (performance.now() >= givesUpAtMs) {
        throw new SparcError('ERR_SIMULATOR_SCENARIO', `not within ${COMES_ABOUT_MAX_MS / 1_000} s: ${what}`);
      }
      await pause(LOOK_INTERVAL_MS);
    }
  }
}
