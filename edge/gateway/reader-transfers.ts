import { transferFile, type OsdpBus } from '@sparc/firmware-bridges/osdp';
import { SparcError } from '@sparc/protocol/errors';
import type { PdId } from '@sparc/protocol/osdp';
import type { TransferEnd, TransferLine, TransferRequest } from '../reader-bundles/index.js';
import type { FieldBuses } from './field-buses.js';

/** A device that does not say within this who it is counts as away. */
const IDENTITY_TTL_MS = 2_000;

/** Transfers to devices, wherever they hang. */
export class ReaderTransfers implements TransferLine {
  constructor(private readonly buses: FieldBuses) {}

  async identity(deviceId: string): Promise<PdId | undefined> {
    const bus = this.#busOf(deviceId);
    const outcome = await bus?.send(deviceId, { name: 'ID', type: 0 }, { priority: 'normal', ttlMs: IDENTITY_TTL_MS });
    if (outcome?.kind !== 'acknowledged' || outcome.reply.name !== 'PDID') return undefined;
    const { name: _name, ...id } = outcome.reply;
    return id;
  }

  async transferFile(
    deviceId: string,
    request: TransferRequest,
    onProgress: (sentBytes: number) => void,
  ): Promise<TransferEnd> {
    const bus = this.#busOf(deviceId);
    if (bus === undefined) {
      const error = new SparcError('ERR_BUNDLE_DEVICE_ABSENT', `${deviceId} is on no bus any more`, { deviceId });
      return { kind: 'failed', error, offset: request.offset };
    }
    const result = await transferFile(bus, deviceId, request, ({ sentSize }) => onProgress(sentSize));
    if (result.kind !== 'failed') return result;
    const { code, message, offset } = result;
    return { kind: 'failed', error: new SparcError(code, `${deviceId}: ${message}`, { deviceId }), offset };
  }

  /** Undefined once a new policy has taken the device away. */
  #busOf(deviceId: string): OsdpBus | undefined {
    const busId = this.buses.device(deviceId)?.bus;
    const bus = busId === undefined ? undefined : this.buses.bus(busId);
    return bus?.devices.some((device) => device.deviceId === deviceId) === true ? bus : undefined;
  }
}
