import type { PdDevice } from './pd-device.js';
import type { SimulatedDoor } from './simulated-door.js';
import type { SimulatedLock } from './simulated-lock.js';

/** Output carries the coil: of an I/O module on the secured side, or a relay inside a reader. */
export function wireLock(device: PdDevice, output: number, lock: SimulatedLock): void {
  device.wireOutput(output, (active) => lock.setEnergised(active));
}

/** Input active: the leaf is open. */
export function wireContact(device: PdDevice, input: number, door: SimulatedDoor): void {
  device.setInput(input, door.contactOpen);
  door.onContact = (open) => device.setInput(input, open);
}

/** Input active: the button is pressed. */
export function wireExitButton(device: PdDevice, input: number, door: SimulatedDoor): void {
  device.setInput(input, door.exitPressed);
  door.onExitButton = (pressed) => device.setInput(input, pressed);
}
