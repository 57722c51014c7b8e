/**
 * What hangs at the doors of a simulated site: readers and I/O modules that speak OSDP, locks and leaves that obey
 * physics. They run on any clock: virtual in a deterministic world, real in `simulator/live`.
 * @packageDocumentation
 */
export { FACTORY_MEMORY, type DeviceMemory } from './device-memory.js';
export { firmwareImage } from './firmware-slot.js';
export { PdDevice, type PdSignal } from './pd-device.js';
export { MODEL, pdProfile, SIMULATED_VENDOR, type DeviceParts } from './pd-profile.js';
export { DOOR_PHYSICS, SimulatedDoor, type DoorMovement, type DoorPhysics } from './simulated-door.js';
export { SimulatedLock, type LockMovement, type LockType } from './simulated-lock.js';
export { SimulatedReader, type CardBits, type LedColor, type LedView } from './simulated-reader.js';
export { buildDoors, buildSite, type DoorParts, type SimulatedSite, type SiteParts } from './simulated-site.js';
export { READER_QUIRK_NAMES, READER_QUIRKS, type ReaderQuirk } from './quirks/index.js';
export { SimulatedSmartCard } from './smart-card.js';
export { wireContact, wireLock, type ActiveLevel, type Terminals } from './wiring.js';
