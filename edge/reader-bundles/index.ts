/**
 * Firmware and configuration for readers: signed bundles, which devices may have them, and in which order they get them.
 * @packageDocumentation
 */
export { BUNDLE_PAYLOAD_MAX_BYTES, makeBundle, readBundle, readPayload, type Bundle } from './bundle.js';
export { BundleShelf } from './bundle-shelf.js';
export { importBundle, listBundles, loadBundle } from './bundle-folder.js';
export { BundleDescription, type BundleManifest } from './manifest.js';
export { ResumePoints } from './resume-points.js';
export {
  TransferJob,
  type RecipientState,
  type TransferEnd,
  type TransferLine,
  type TransferRequest,
} from './transfer-job.js';
export { recipientOf, type Recipient } from './turns.js';
