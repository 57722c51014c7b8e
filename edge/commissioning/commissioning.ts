import { Value } from '@sinclair/typebox/value';
import { SparcError } from '@sparc/protocol/errors';
import type { EventDraft } from '@sparc/protocol/events';
import type { Clock, Random } from '@sparc/protocol/ports';
import { Guesses } from './guesses.js';
import { LocalApiFile } from './local-api.js';
import type { CommissioningView, Operation, TaskView, WindowView } from './operations.js';
import { CommissioningAction, type CommissioningAnswer } from './request.js';
import { TaskList, type TaskOperation, type TaskPlace, type TaskWork } from './task-list.js';
import { CommissioningWindow, isSame, type WindowEnd } from './window.js';

const WHAT_LENGTH_MAX = 1_000;
/** 256 bits. */
const TOKEN_SIZE_BYTES = 32;

/** Where an operation works and how; looked up before it is recorded, so that nobody waits for what cannot be. */
export interface OperationPlan {
  readonly place: TaskPlace;
  readonly work: TaskWork;
}

export interface CommissioningDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly dataDir: string;
  readonly record: (event: EventDraft) => void;
  readonly onFileFailure: (error: unknown) => void;
  /** `windowEndsAtMs` is on the monotonic clock. Throws a SparcError for what cannot be done. */
  readonly plan: (operation: TaskOperation, windowEndsAtMs: number) => OperationPlan;
  /** What is known of devices, bundles and escrow. */
  readonly inventory: () => Pick<CommissioningView, 'devices' | 'bundles' | 'escrow'>;
  readonly onChange: () => void;
}

const WHY_ENDED: Readonly<Record<WindowEnd, string>> = {
  closed: 'the commissioning window was closed',
  expired: 'the time of the commissioning window is over',
  stopped: 'the gateway was stopped',
};

/**
 * Commissioning, asked for through the API and checked here: a person with access to the machine opens a window, its code
 * allows operations while it lasts, and everything is recorded with the operator's name.
 */
export class Commissioning {
  readonly #window: CommissioningWindow;
  readonly #tasks: TaskList;
  readonly #file: LocalApiFile;
  readonly #token: string;
  readonly #tokenGuesses: Guesses;

  constructor(private readonly deps: CommissioningDeps) {
    const { record, onChange } = deps;
    this.#token = Buffer.from(deps.random.bytes(TOKEN_SIZE_BYTES)).toString('base64url');
    this.#tokenGuesses = new Guesses(deps.clock);
    this.#file = new LocalApiFile(deps.dataDir, deps.onFileFailure);
    this.#window = new CommissioningWindow(deps, {
      onEnd: (window, why) => this.#onWindowEnd(window, why),
      onRefused: ({ operator }) => {
        record({ name: 'commissioning.refused', code: 'ERR_COMMISSIONING_CODE_REFUSED', detail: { operator } });
      },
    });
    this.#tasks = new TaskList(deps, {
      onStart: (task, operation) => {
        const detail = { ...detailOf(task), ...whatOf(operation) };
        record({ name: 'commissioning.started', ...placeOf(task), detail });
      },
      onEnd: (task) => {
        const { state, error } = task;
        const code = error === undefined ? {} : { code: error.code };
        record({ name: 'commissioning.ended', ...placeOf(task), ...code, detail: { ...detailOf(task), state } });
      },
      onChange,
    });
  }

  start(): void {
    this.#file.write({ token: this.#token });
  }

  listening(url: string): void {
    this.#file.write({ url, token: this.#token });
  }

  /** Tasks end as they end when a window does. */
  async stop(): Promise<void> {
    this.#window.close('stopped');
    await Promise.all([this.#tasks.ended(), this.#file.remove()]);
  }

  view(): CommissioningView {
    const { view: window } = this.#window;
    return { ...(window === undefined ? {} : { window }), tasks: this.#tasks.views, ...this.deps.inventory() };
  }

  /** `action` comes from a process that is not trusted. Throws a SparcError of the areas API, COMMISSIONING or CONFIG. */
  handle(action: unknown, authorization: string | undefined): CommissioningAnswer {
    if (!Value.Check(CommissioningAction, action)) {
      throw new SparcError('ERR_API_REQUEST_INVALID', 'the field does not know such a request');
    }
    const secret = secretOf(authorization);
    switch (action.kind) {
      case 'open':
        this.#assertToken(secret);
        return this.#open(action.window);
      case 'check':
        return { kind: 'right', ...this.#window.assertCode(secret) };
      case 'close':
        if (!this.#isToken(secret)) this.#window.assertCode(secret);
        this.#window.close('closed');
        return { kind: 'closed' };
      case 'run':
        this.#window.assertCode(secret);
        return { kind: 'started', task: this.#run(action.operation) };
    }
  }

  #open({ operator, minutes }: { readonly operator: string; readonly minutes: number }): CommissioningAnswer {
    const code = this.#window.open(operator, minutes);
    const { endsAtUnixMs = 0 } = this.#window.view ?? {};
    this.deps.record({ name: 'commissioning.opened', detail: { operator, minutes: String(minutes) } });
    this.deps.onChange();
    return { kind: 'opened', code, endsAtUnixMs };
  }

  #run(operation: Operation): string {
    if (operation.kind === 'cancel') {
      this.#tasks.cancel(operation.task);
      return operation.task;
    }
    const { view, endsAtMs } = this.#window;
    if (view === undefined || endsAtMs === undefined) throw new Error('a code is right only while a window is open');
    const { place, work } = this.deps.plan(operation, endsAtMs);
    return this.#tasks.start(operation, view.operator, place, work);
  }

  #onWindowEnd({ operator }: WindowView, why: WindowEnd): void {
    this.deps.record({ name: 'commissioning.closed', detail: { operator, why } });
    const code = why === 'stopped' ? 'ERR_COMMISSIONING_CANCELLED' : 'ERR_COMMISSIONING_WINDOW_CLOSED';
    this.#tasks.cancelAll(new SparcError(code, WHY_ENDED[why]));
    this.deps.onChange();
  }

  #isToken(secret: string | undefined): boolean {
    return secret !== undefined && isSame(Buffer.from(this.#token), Buffer.from(secret));
  }

  /** For what else only somebody with access to the machine may ask. Throws ERR_COMMISSIONING_TOKEN_REFUSED. */
  assertLocal(authorization: string | undefined): void {
    this.#assertToken(secretOf(authorization));
  }

  #assertToken(secret: string | undefined): void {
    const code = 'ERR_COMMISSIONING_TOKEN_REFUSED';
    const refused = new SparcError(code, 'the token is missing, or not the one of this run of the gateway');
    if (secret === undefined) throw refused;
    this.#tokenGuesses.assertFew();
    if (this.#isToken(secret)) return;
    this.#tokenGuesses.wrong();
    this.deps.record({ name: 'commissioning.refused', code });
    throw refused;
  }
}

const secretOf = (authorization: string | undefined) => /^Bearer (\S{1,128})$/.exec(authorization ?? '')?.[1];

const placeOf = ({ bus, device }: TaskView) => ({
  ...(bus === undefined ? {} : { busId: bus }),
  ...(device === undefined ? {} : { deviceId: device }),
});

const detailOf = ({ id, kind, operator }: TaskView) => ({ task: id, kind, operator });

/** As it was asked for, such as `baudRate 9600, newAddress 3`. An entry does not hold the longest lists whole. */
function whatOf({ kind: _kind, ...asked }: TaskOperation): { readonly what?: string } {
  const what = Object.entries(asked)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');
  return what === '' ? {} : { what: what.slice(0, WHAT_LENGTH_MAX) };
}
