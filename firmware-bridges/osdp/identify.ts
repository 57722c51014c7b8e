import { LED_COLOR, LED_PERMANENT_CODE, LED_TEMPORARY_CODE, TICK_MS, TONE, type Command } from '@sparc/protocol/osdp';
import type { OsdpBus } from './osdp-bus.js';
import { commandStranger, replyOf, type Stranger } from './stranger.js';

const TIMER_TICKS_MAX = 0xffff;
const BEEP_PERIOD_TICKS = 10;
const BEEP_TICKS = 2;
const COMMAND_TTL_MS = 2_000;
const HALF_PERIOD_TICKS = 2;

/**
 * A device of the plan, or a stranger, blinks red and green and beeps once a second: as no indication does. The LED falls
 * back to what it showed by itself. Resolves when the reader has taken it; rejects with the SparcError of the command.
 */
export async function identify(
  bus: OsdpBus,
  target: { readonly deviceId: string } | Stranger,
  durationMs: number,
): Promise<void> {
  for (const command of commands(durationMs)) {
    if ('deviceId' in target) {
      replyOf(await bus.send(target.deviceId, command, { priority: 'normal', ttlMs: COMMAND_TTL_MS }), command);
    } else {
      await commandStranger(bus, target, command);
    }
  }
}

function commands(durationMs: number): readonly Command[] {
  const ticks = Math.min(Math.max(1, Math.ceil(durationMs / TICK_MS)), TIMER_TICKS_MAX);
  const blink = {
    onTicks: HALF_PERIOD_TICKS,
    offTicks: HALF_PERIOD_TICKS,
    onColor: LED_COLOR.red,
    offColor: LED_COLOR.green,
  };
  const unused = { onTicks: 0, offTicks: 0, onColor: LED_COLOR.off, offColor: LED_COLOR.off };
  const temporary = { code: LED_TEMPORARY_CODE.set, ...blink, timerTicks: ticks };
  const permanent = { code: LED_PERMANENT_CODE.nop, ...unused };
  const count = Math.min(0xff, Math.ceil(ticks / BEEP_PERIOD_TICKS));
  return [
    { name: 'LED', records: [{ reader: 0, led: 0, temporary, permanent }] },
    {
      name: 'BUZ',
      reader: 0,
      tone: TONE.default,
      onTicks: BEEP_TICKS,
      offTicks: BEEP_PERIOD_TICKS - BEEP_TICKS,
      count,
    },
  ];
}
