import { MqttBus, type CloudBus, type MqttBusOptions } from '../broker/index.js';
import type { Part } from './part.js';

/** A broker of the customer. It may come and go: the process waits for it. */
export class MqttPart implements Part, CloudBus {
  readonly name = 'broker';
  readonly #bus: MqttBus;
  #problem: string | undefined = 'was not reached yet';

  constructor(options: MqttBusOptions) {
    const onTurn = (isConnected: boolean, why = 'is not reached') => (this.#problem = isConnected ? undefined : why);
    this.#bus = new MqttBus({ onTurn }, options);
  }

  async start(): Promise<void> {
    this.#bus.start();
  }

  stop(): Promise<void> {
    return this.#bus.stop();
  }

  problem(): string | undefined {
    return this.#problem;
  }

  hear(...of: Parameters<CloudBus['hear']>): Promise<void> {
    return this.#bus.hear(...of);
  }

  say(...of: Parameters<CloudBus['say']>): Promise<void> {
    return this.#bus.say(...of);
  }
}
