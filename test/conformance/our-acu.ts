import {
  OsdpBus,
  type DevicePlan,
  type MessageEffect,
  type OsdpBusHandlers,
  type ReplyEffect,
  type StatusEffect,
} from '@sparc/firmware-bridges/osdp';
import type { Command, CommandOutcome } from '@sparc/protocol/osdp';
import type { ByteLink } from '@sparc/protocol/ports';
import { SeededRandom } from '@sparc/simulator/world';
import { eventually } from '../support/peers.js';
import { systemClock } from '../support/system-clock.js';

const TTL_MS = 2_000;

/** Our bus alone, and everything that it has told. */
export class OurAcu {
  readonly bus: OsdpBus;
  readonly replies: ReplyEffect[] = [];
  readonly messages: MessageEffect[] = [];
  readonly alarms: string[] = [];
  readonly notices: string[] = [];
  readonly keysProven: { readonly deviceId: string; readonly scbk: Uint8Array }[] = [];
  readonly #statuses = new Map<string, StatusEffect>();
  #isUp = false;

  constructor(link: ByteLink, devices: readonly DevicePlan[] = []) {
    this.bus = new OsdpBus({ clock: systemClock, random: new SeededRandom(7) }, { busId: 'bus', link, devices });
    const handlers: OsdpBusHandlers = {
      onLink: (up) => (this.#isUp = up),
      onReply: (_, reply) => this.replies.push(reply) > 0,
      onMessage: (_, message) => this.messages.push(message),
      onStatus: (deviceId, status) => this.#statuses.set(deviceId, status),
      onAlarm: (code) => this.alarms.push(code),
      onKeyProven: (deviceId, scbk) => this.keysProven.push({ deviceId, scbk }),
      onNotice: (_, __, message) => this.notices.push(message),
    };
    this.bus.start(handlers);
  }

  status(deviceId: string): StatusEffect | undefined {
    return this.#statuses.get(deviceId);
  }

  async open(): Promise<void> {
    await eventually('the line is open', () => this.#isUp);
  }

  async secure(...deviceIds: readonly string[]): Promise<void> {
    await eventually(`Secure Channel with ${deviceIds.join(', ')}`, () =>
      deviceIds.every((deviceId) => this.status(deviceId)?.link === 'online' && this.status(deviceId)?.secure === true),
    );
  }

  send(deviceId: string, command: Command): Promise<CommandOutcome> {
    return this.bus.send(deviceId, command, { priority: 'normal', ttlMs: TTL_MS });
  }

  stop(): Promise<void> {
    return this.bus.stop();
  }
}
