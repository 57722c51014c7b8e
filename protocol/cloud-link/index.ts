/**
 * What a gateway and the cloud say to each other over a broker. A gateway says which logs it holds and up to where (`hello`),
 * the cloud what it lacks (`want`), the gateway sends signed batches (`batch`, as between gateways), and the cloud signs what
 * it has on disk (`ack`). The other way the cloud sends what the gateway lacks of the log of the site authority (`batch`), and
 * the gateway asks for parts of the policy (`parts`, `part`). As in the mesh, messages only hint: the truth is in the heads of
 * both sides, so one that is lost, late or repeated costs latency. What the cloud asks one gateway to do (`request`) is done
 * once or not at all, and answered (`answer`); what it asks it to decide is answered, and done nowhere.
 * @packageDocumentation
 */
export * from './acknowledgement.js';
export * from './messages.js';
export * from './request.js';
export * from './topic.js';
export * from './trial.js';
