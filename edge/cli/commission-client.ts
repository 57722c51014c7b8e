import { join } from 'node:path';
import type { DirectiveView } from '@sparc/protocol/delivery';
import type { MeshView, SiteSnapshot } from '../api/index.js';
import type { SignedDirective } from '@sparc/protocol/directive';
import { ERRORS, SparcError, type ErrorCode } from '@sparc/protocol/errors';
import {
  LOCAL_API_FILE,
  type BusesView,
  type CommissioningView,
  type LocalApi,
  type Operation,
  type WindowView,
} from '../commissioning/index.js';
import type { DirectiveReceipt } from '../directives/index.js';
import { readSecretFile } from '../platform/index.js';
import type { Order } from '../site-mode/index.js';

/** The answer to somebody who opened a window. */
export interface OpenedWindow {
  readonly code: string;
  readonly endsAtUnixMs: number;
}

const REQUEST_TIMEOUT_MS = 10_000;

/** Talks to the gateway that runs on a data directory. Every method throws what the gateway answered. */
export class CommissionClient {
  private constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  /** Throws ERR_CLI_GATEWAY_UNREACHABLE when no gateway runs there, or ERR_CONFIG_SECRET_EXPOSED. */
  static of(dataDir: string): CommissionClient {
    const bytes = readSecretFile(join(dataDir, LOCAL_API_FILE));
    if (bytes === undefined) throw unreachable(`no gateway runs on ${dataDir}`);
    const { url, token } = JSON.parse(Buffer.from(bytes).toString('utf8')) as LocalApi;
    if (url === undefined) throw unreachable('the API of the gateway does not listen yet');
    return new CommissionClient(url, token);
  }

  open(operator: string, minutes: number): Promise<OpenedWindow> {
    return this.#request('POST', 'commissioning/window', this.token, { operator, minutes });
  }

  async close(): Promise<void> {
    await this.#request('DELETE', 'commissioning/window', this.token);
  }

  /** Resolves when the order is in force. */
  async order(order: Order, by: string): Promise<void> {
    await this.#request('POST', 'orders', this.token, { by, order });
  }

  site(): Promise<SiteSnapshot> {
    return this.#request('GET', 'site');
  }

  mesh(): Promise<MeshView> {
    return this.#request('GET', 'mesh');
  }

  /** Resolves when the gateway has carried it out, or has said that it does not. */
  direct(directive: SignedDirective): Promise<DirectiveReceipt> {
    return this.#request('POST', 'directives', undefined, directive);
  }

  /** Who has carried it out. Throws ERR_API_DIRECTIVE_UNKNOWN for one that no ledger there carries. */
  directive(id: string): Promise<DirectiveView> {
    return this.#request('GET', `directives/${id}`);
  }

  view(): Promise<CommissioningView> {
    return this.#request('GET', 'commissioning');
  }

  async window(): Promise<WindowView | undefined> {
    return (await this.view()).window;
  }

  buses(): Promise<BusesView> {
    return this.#request('GET', 'buses');
  }

  /** The id of the task. */
  async start(operation: Operation, code: string): Promise<string> {
    return (await this.#request<{ task: string }>('POST', 'commissioning/operations', code, operation)).task;
  }

  async #request<T>(method: string, path: string, secret?: string, body?: object): Promise<T> {
    let response: Response;
    try {
      response = await fetch(new URL(`/api/${path}`, this.url), {
        method,
        headers: {
          ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
    } catch (cause) {
      throw unreachable(`${this.url} does not answer: it may be starting, or was killed`, cause);
    }
    const text = await response.text();
    const answer = text === '' ? {} : (JSON.parse(text) as object);
    if (!response.ok) throw refusal(answer, response.status);
    return answer as T;
  }
}

function refusal({ code, message }: { code?: string; message?: string }, status: number): SparcError {
  const text = message ?? `the gateway answered ${status}`;
  return new SparcError(isErrorCode(code) ? code : 'ERR_CLI_GATEWAY_UNREACHABLE', text);
}

const isErrorCode = (code: string | undefined): code is ErrorCode => code !== undefined && Object.hasOwn(ERRORS, code);

const unreachable = (message: string, cause?: unknown) =>
  new SparcError('ERR_CLI_GATEWAY_UNREACHABLE', message, {}, { cause });
