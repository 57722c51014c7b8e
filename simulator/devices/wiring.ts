import type { SimulatedDoor } from './simulated-door.js';
import type { SimulatedLock } from './simulated-lock.js';

/** The screws of a device: what it drives and what it senses. */
export interface Terminals {
  wireOutput(number: number, wire: (active: boolean) => void): void;
  setInput(number: number, active: boolean): void;
}

/** The level of the terminal that means "open" or "pressed". */
export type ActiveLevel = 'active' | 'inactive';

/** Output carries the coil: of an I/O module on the secured side, or a relay inside a reader. */
export function wireLock(device: Terminals, output: number, lock: SimulatedLock): void {
  device.wireOutput(output, (active) => lock.setEnergised(active));
}

export function wireContact(device: Terminals, input: number, door: SimulatedDoor, openWhen: ActiveLevel): void {
  const report = (open: boolean) => device.setInput(input, open === (openWhen === 'active'));
  report(door.contactOpen);
  door.onContact = report;
}

export function wireExitButton(device: Terminals, input: number, door: SimulatedDoor, pressedWhen: ActiveLevel): void {
  const report = (pressed: boolean) => device.setInput(input, pressed === (pressedWhen === 'active'));
  report(door.exitPressed);
  door.onExitButton = report;
}
