import type { Clock, Random } from '@sparc/protocol/ports';
import type { SerialLine } from '../world/index.js';
import { PdDevice } from './pd-device.js';

export interface IoModuleOptions {
  readonly address: number;
  readonly baudRate: number;
  readonly scbk?: Uint8Array;
  readonly requireSecureChannel?: boolean;
  readonly inputCount: number;
  readonly outputCount: number;
  readonly serial?: number;
}

/** Terminals on the secured side: contacts and buttons in, strikes out. */
export class SimulatedIoModule {
  readonly device: PdDevice;

  constructor(clock: Clock, random: Random, line: SerialLine, id: string, options: IoModuleOptions) {
    const { inputCount, outputCount } = options;
    this.device = new PdDevice(clock, random, line, id, {
      address: options.address,
      baudRate: options.baudRate,
      ...(options.scbk === undefined ? {} : { scbk: options.scbk }),
      requireSecureChannel: options.requireSecureChannel ?? options.scbk !== undefined,
      installMode: false,
      id: {
        vendor: '0a0b0c',
        model: 2,
        version: 1,
        serial: options.serial ?? options.address,
        firmware: { major: 1, minor: 0, build: 0 },
      },
      capabilities: [
        { function: 1, compliance: 2, count: inputCount },
        { function: 2, compliance: 4, count: outputCount },
        { function: 8, compliance: 1, count: 0 },
        { function: 9, compliance: 1, count: 0 },
        { function: 10, compliance: 0, count: 2 },
        { function: 16, compliance: 2, count: 0 },
      ],
      inputCount,
      outputCount,
      readerCount: 0,
    });
    for (let number = 0; number < inputCount; number++) this.device.setInput(number, false);
  }

  get id(): string {
    return this.device.id;
  }
}
