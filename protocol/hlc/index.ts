/**
 * Hybrid logical clock: an order for entries of several gateways that stays close to wall time
 * (Kulkarni et al., "Logical Physical Clocks", 2014). Pure: wall time is handed in.
 * @packageDocumentation
 */
export * from './hlc.js';
