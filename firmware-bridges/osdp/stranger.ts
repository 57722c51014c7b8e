import { SparcError } from '@sparc/protocol/errors';
import { NAK, nakMeaning, type Command, type CommandOutcome, type Reply } from '@sparc/protocol/osdp';
import type { OsdpBus } from './osdp-bus.js';
import type { Place } from './plan.js';

/** A PD that is in no plan, as it was discovered. */
export interface Stranger extends Place {
  /** A person has opened a commissioning window: until this monotonic instant SCBK-D may be used where clear text is refused. */
  readonly windowEndsAtMs?: number;
}

/** A lost frame is sent again: none of the commands for strangers does more when it is repeated. */
const ATTEMPTS_MAX = 3;
/** From the first frame to a session under SCBK-D. */
const SESSION_WITHIN_MS = 5_000;
const COMMAND_TTL_MS = 2_000;

/**
 * One command to a stranger, in clear; under SCBK-D where it refuses clear text and a window is open. Rejects with a
 * SparcError: those of `exchange`, ERR_OSDP_SILENT, ERR_OSDP_GARBLED, ERR_OSDP_NAK, or why there is no session.
 */
export async function commandStranger(bus: OsdpBus, stranger: Stranger, command: Command): Promise<Reply> {
  const place = `address ${stranger.address} at ${stranger.baudRate} baud`;
  const { address, baudRate, windowEndsAtMs } = stranger;
  let garbled = false;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const result = await bus.exchange({ address, baudRate, command });
    garbled ||= result.kind === 'garbled' || result.kind === 'unreadable';
    if (result.kind !== 'reply' || result.reply.name === 'BUSY') continue;
    const { reply } = result;
    if (reply.name !== 'NAK') return reply;
    const wantsSession = reply.error === NAK.encryptionRequired || reply.error === NAK.securityUnsupported;
    if (wantsSession && windowEndsAtMs !== undefined) {
      return commandUnderDefaultKey(bus, { address, baudRate, windowEndsAtMs }, command);
    }
    throw new SparcError('ERR_OSDP_NAK', `${place} answers NAK ${reply.error}, ${nakMeaning(reply.error)}`);
  }
  if (garbled) throw new SparcError('ERR_OSDP_GARBLED', `${place} answers ${command.name} in garbled frames`);
  throw new SparcError('ERR_OSDP_SILENT', `${place} does not answer ${command.name}`);
}

async function commandUnderDefaultKey(
  bus: OsdpBus,
  { address, baudRate, windowEndsAtMs }: Required<Stranger>,
  command: Command,
): Promise<Reply> {
  const deviceId = `unplanned ${address}`;
  bus.put({ deviceId, address, baudRate, secureChannel: { mode: 'install', untilMs: windowEndsAtMs } });
  try {
    const device = bus.device(deviceId);
    if (!(await bus.until(() => device.online, SESSION_WITHIN_MS))) {
      throw new SparcError('ERR_OSDP_KEY_REJECTED', `address ${address} opens no session under SCBK-D`);
    }
    return replyOf(await bus.send(deviceId, command, { priority: 'urgent', ttlMs: COMMAND_TTL_MS }), command);
  } finally {
    bus.remove(deviceId);
  }
}

/** @throws SparcError with the reason of a command that was not acknowledged. */
export function replyOf(outcome: CommandOutcome, { name }: Command): Reply {
  if (outcome.kind === 'acknowledged') return outcome.reply;
  const detail = outcome.detail === undefined ? '' : `: ${outcome.detail}`;
  const what = outcome.kind === 'unknown' ? 'effect unknown' : 'not executed';
  throw new SparcError(outcome.reason, `${name}: ${what}${detail}`);
}
