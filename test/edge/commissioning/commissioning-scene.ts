import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { Commissioning, LOCAL_API_FILE, type LocalApi, type OperationPlan } from '@sparc/edge/commissioning';
import type { EventRecord } from '@sparc/protocol/events';
import { SeededRandom, VirtualClock } from '@sparc/simulator/world';
import { eventually } from '../../support/peers.js';

/** A folder that goes with the test. */
export function scratch(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-commissioning-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Commissioning of a gateway whose operations are `plan`, and what it recorded. */
export async function commissioningScene(t: Test, plan: (kind: string) => OperationPlan) {
  const dataDir = scratch(t);
  const clock = new VirtualClock();
  const events: EventRecord[] = [];
  const commissioning = new Commissioning({
    clock,
    random: new SeededRandom('commissioning'),
    dataDir,
    record: (event) => events.push(event),
    onFileFailure: (error) => t.fail(String(error)),
    plan: ({ kind }) => plan(kind),
    inventory: () => ({ devices: [], bundles: [], escrow: false }),
    onChange: () => undefined,
  });
  t.teardown(() => commissioning.stop());
  commissioning.start();
  const path = join(dataDir, LOCAL_API_FILE);
  const localApi = () => JSON.parse(readFileSync(path, 'utf8')) as LocalApi;
  await eventually('the token is there', () => {
    try {
      return localApi().token.length > 40;
    } catch {
      return false;
    }
  });
  /** The code of the error, or the answer. */
  const ask = (action: unknown, secret?: string) => {
    try {
      return commissioning.handle(action, secret === undefined ? undefined : `Bearer ${secret}`);
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  const open = (minutes = 30): string => {
    const answer = ask({ kind: 'open', window: { operator: 'Ada', minutes } }, localApi().token);
    if (typeof answer === 'string' || answer.kind !== 'opened')
      throw new Error(`not opened: ${JSON.stringify(answer)}`);
    return answer.code;
  };
  return { clock, commissioning, events, path, localApi, ask, open };
}
