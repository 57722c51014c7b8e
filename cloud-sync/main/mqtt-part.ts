import type { FastifyBaseLogger } from 'fastify';
import { SparcError } from '@sparc/protocol/errors';
import { MqttBus, type CloudBus, type MqttBusOptions } from '../broker/index.js';
import type { Part } from './part.js';

/** A broker of the customer. It may come and go: the process waits for it. */
export class MqttPart implements Part, CloudBus {
  readonly name = 'broker';
  readonly #bus: MqttBus;
  #problem: string | undefined = 'was not reached yet';

  constructor(
    private readonly log: FastifyBaseLogger,
    options: MqttBusOptions,
  ) {
    this.#bus = new MqttBus({ onTurn: (isConnected, why) => this.#turned(isConnected, why) }, options);
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

  #turned(isConnected: boolean, why = 'it ends the connection'): void {
    const problem = isConnected ? undefined : `ERR_LINK_BROKER_UNREACHABLE: ${why}`;
    if (problem === this.#problem) return;
    this.#problem = problem;
    // Once for each reason: it is called every second.
    if (isConnected) this.log.info({ part: this.name }, 'is reached');
    else
      this.log.warn(
        { part: this.name, err: new SparcError('ERR_LINK_BROKER_UNREACHABLE', why) },
        'is not reached; is called again',
      );
  }
}
