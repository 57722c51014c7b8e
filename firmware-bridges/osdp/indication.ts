import {
  CAPABILITY,
  LED_COLOR,
  LED_PERMANENT_CODE,
  LED_TEMPORARY_CODE,
  TEXT_COMMAND,
  TICK_MS,
  TONE,
  type Capability,
  type Command,
  type LedRecord,
} from '@sparc/protocol/osdp';
import type { Indication } from '@sparc/protocol/ports';

type Color = keyof typeof LED_COLOR;

interface Blink {
  readonly color: Color;
  readonly onMs: number;
  /** 0: steady. */
  readonly offMs: number;
}

interface Beeps {
  readonly onMs: number;
  readonly offMs: number;
  readonly count: number;
}

interface Feedback {
  readonly light: Blink;
  /** After this the standing state shows again; absent for a standing state. */
  readonly durationMs?: number;
  readonly beeps?: Beeps;
  /** At most 16 characters: the smallest display of the standard. */
  readonly text?: string;
}

const steady = (color: Color): Blink => ({ color, onMs: TICK_MS, offMs: 0 });
const blinking = (color: Color, halfPeriodMs: number): Blink => ({ color, onMs: halfPeriodMs, offMs: halfPeriodMs });

/** What a reader does for each indication. The lock's own state is a steady light; everything else ends by itself. */
export const FEEDBACK: Readonly<Record<Indication, Feedback>> = {
  locked: { light: steady('red') },
  unlocked: { light: steady('green') },
  processing: { light: blinking('amber', 200), durationMs: 5_000 },
  pinRequired: {
    light: steady('amber'),
    durationMs: 15_000,
    beeps: { onMs: 100, offMs: 100, count: 1 },
    text: 'Enter PIN',
  },
  cardRequired: {
    light: steady('amber'),
    durationMs: 30_000,
    beeps: { onMs: 100, offMs: 100, count: 1 },
    text: 'Next card',
  },
  granted: {
    light: steady('green'),
    durationMs: 3_000,
    beeps: { onMs: 200, offMs: 100, count: 1 },
    text: 'Access granted',
  },
  denied: {
    light: blinking('red', 200),
    durationMs: 2_000,
    beeps: { onMs: 100, offMs: 100, count: 3 },
    text: 'Access denied',
  },
  heldOpen: {
    light: blinking('red', 500),
    durationMs: 5_000,
    beeps: { onMs: 500, offMs: 500, count: 5 },
    text: 'Close the door',
  },
};

const ticks = (durationMs: number) => Math.ceil(durationMs / TICK_MS);

/** The commands for a reader, light first; only what the device says it has. Nothing said: everything is tried. */
export function indicationCommands(
  reader: number,
  indication: Indication,
  capabilities: readonly Capability[] | undefined,
): Command[] {
  const { light, durationMs, beeps, text } = FEEDBACK[indication];
  const has = (code: number) =>
    capabilities === undefined || capabilities.some((entry) => entry.function === code && entry.compliance > 0);
  const commands: Command[] = [];
  if (has(CAPABILITY.readerLed)) commands.push({ name: 'LED', records: [ledRecord(reader, light, durationMs)] });
  if (beeps !== undefined && has(CAPABILITY.audibleOutput)) {
    commands.push({
      name: 'BUZ',
      reader,
      tone: TONE.default,
      onTicks: ticks(beeps.onMs),
      offTicks: ticks(beeps.offMs),
      count: beeps.count,
    });
  }
  if (text !== undefined && durationMs !== undefined && has(CAPABILITY.textOutput)) {
    const temporarySeconds = Math.ceil(durationMs / 1_000);
    commands.push({ name: 'TEXT', reader, command: TEXT_COMMAND.temporary, temporarySeconds, row: 1, column: 1, text });
  }
  return commands;
}

function ledRecord(reader: number, { color, onMs, offMs }: Blink, durationMs: number | undefined): LedRecord {
  const pattern = {
    onTicks: ticks(onMs),
    offTicks: ticks(offMs),
    onColor: LED_COLOR[color],
    offColor: LED_COLOR.off,
  };
  const unused = { onTicks: 0, offTicks: 0, onColor: LED_COLOR.off, offColor: LED_COLOR.off };
  return durationMs === undefined
    ? {
        reader,
        led: 0,
        temporary: { code: LED_TEMPORARY_CODE.nop, ...unused, timerTicks: 0 },
        permanent: { code: LED_PERMANENT_CODE.set, ...pattern },
      }
    : {
        reader,
        led: 0,
        temporary: { code: LED_TEMPORARY_CODE.set, ...pattern, timerTicks: ticks(durationMs) },
        permanent: { code: LED_PERMANENT_CODE.nop, ...unused },
      };
}
