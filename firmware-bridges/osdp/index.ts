/**
 * OSDP buses on real lines: byte links, a scheduler a line, and the FieldBus port over all of them.
 *
 * ```ts
 * const bus = new OsdpFieldBus({ clock, random }, { buses: [{ busId, link: new SerialLink(clock, { path, baudRate }), devices }] });
 * bus.start(handlers);
 * ```
 * @packageDocumentation
 */
export { SerialLink, type SerialLinkOptions } from './serial-link.js';
export { TcpLink, type TcpLinkOptions } from './tcp-link.js';
export {
  OsdpBus,
  type MessageEffect,
  type OsdpBusHandlers,
  type ReplyEffect,
  type SendOptions,
  type StatusEffect,
} from './osdp-bus.js';
export type { BusDevice, Pdid } from './bus-device.js';
export { discover, type DiscoverOptions, type DiscoverProgress, type FoundDevice } from './discover.js';
export { comset, type ComsetResult } from './comset.js';
export { setAddress, type SetAddressRequest } from './set-address.js';
export { setBusSpeed, type BusSpeedProgress, type BusSpeedResult } from './bus-speed.js';
export { identify } from './identify.js';
export type { Stranger } from './stranger.js';
export { transferFile, type TransferOptions, type TransferProgress } from './transfer-file.js';
export type { Tap, TappedFrame } from './bus-line.js';
export type { ExchangeRequest, ExchangeResult } from './line-exchange.js';
export { OsdpFieldBus, type OsdpFieldBusDeps } from './osdp-field-bus.js';
export { EchoFilter } from './echo-filter.js';
export { FEEDBACK, indicationCommands } from './indication.js';
export { outputRecord } from './output-action.js';
export { TurnOrder, type Contender } from './turn-order.js';
export type { BusHealth, DeviceHealth } from './health.js';
export { busPlanProblem, POLL_PERIOD_MAX_MS, predictedPollPeriodMs, type PolledDevice } from './poll-period.js';
export { QuantileMeter, type Quantiles } from './quantiles.js';
export type { BusPlan, DevicePlan, FieldBusPlan, Place, SecureChannelPlan } from './plan.js';
