import { parentPort } from 'node:worker_threads';
import { TownPolicy, TownWorld } from '@sparc/simulator/site';

/** Half as many people and directives as usual: what fails is the same, and more seeds are seen. */
const PACE = 0.5;

/** Answers each seed with the report of its town. */
const policy = new TownPolicy();
parentPort?.on('message', (seed: number) => {
  void new TownWorld({ seed, pace: PACE, policy }).run().then((report) => parentPort?.postMessage(report));
});
