/**
 * Commissioning of readers: a window that a person opens, what may be done in it, and the keys of readers.
 * @packageDocumentation
 */
export { busFindings, type Finding } from './bus-findings.js';
export type { BusesView, BusView, DeviceHealthView } from './bus-view.js';
export { BusSpeeds } from './bus-speeds.js';
export { Commissioning, type CommissioningDeps, type OperationPlan } from './commissioning.js';
export { DeviceKeys, type DeviceKeysDeps, type KeyLine, type KeysInUse } from './device-keys.js';
export { Escrow, ESCROW_FILE, type EscrowOptions } from './escrow.js';
export { digestOfBundle, openBundle, sealBundle, type EscrowContent } from './escrow-bundle.js';
export { GUESSES_MAX } from './guesses.js';
export { LOCAL_API_FILE, type LocalApi } from './local-api.js';
export {
  keysAtStart,
  keyStateOf,
  stepDeviceKey,
  type DeviceKeyEffect,
  type DeviceKeyInput,
  type DeviceKeyState,
  type HeldKeys,
} from './key-machine.js';
export { KEY_STORE_FILE, KeyStore } from './key-store.js';
export { heldKeysFromJson, heldKeysToJson } from './held-keys.js';
export * from './operations.js';
export { createRecoveryKey, loadRecoveryKey, type RecoveryKey } from './recovery-key.js';
export { OpenWindow, type CommissioningAction, type CommissioningAnswer } from './request.js';
export { TASKS_ENDED_MAX, type TaskOperation, type TaskWork } from './task-list.js';
export { transferWork, type TransferWorkDeps } from './transfer-work.js';
export { CommissioningWindow } from './window.js';
