/**
 * Inputs of a site: debouncing, faults of the wiring, and what inputs without a door tell.
 * @packageDocumentation
 */
export { SiteInputs, type InputSignal, type SiteInputsDeps } from './site-inputs.js';
