/**
 * The broker that gateways and the cloud speak over, in this process by default.
 * @packageDocumentation
 */
export {
  Broker,
  PACKET_BYTES_MAX,
  UNREAD_BYTES_MAX,
  UNREAD_MAX_MS,
  type BrokerDeps,
  type BrokerOptions,
  type Refusal,
} from './broker.js';
export type { CloudBus, OnSaid } from './cloud-bus.js';
export { MqttBus, type MqttBusDeps, type MqttBusOptions } from './mqtt-bus.js';
export { PacketGate } from './packet-gate.js';
export { impatient, SAY_WITHIN_MS } from './impatient-bus.js';
