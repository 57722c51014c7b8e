/**
 * Couriers of a gateway: what goes into one from its data directory, and the inbox out of which they are taken.
 * @packageDocumentation
 */
export { carriedBatches } from './carried-batches.js';
export { carriedParts } from './carried-parts.js';
export { checkCourier, type CheckedCourier } from './check-courier.js';
export { CourierCount } from './courier-count.js';
export { CourierInbox, type CourierInboxDeps, type Taken } from './courier-inbox.js';
export { withLogsOf } from './data-dir-logs.js';
export { COURIER_SMALL_BYTES_MAX, InboxFolder } from './inbox-folder.js';
