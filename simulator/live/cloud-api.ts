import { SparcError } from '@sparc/protocol/errors';

/** What the API of the cloud is asked for, as its page asks. */
export class CloudApi {
  #token = '';

  constructor(private readonly url: string) {}

  /** Throws ERR_SIMULATOR_CLOUD_REFUSED, as all others do. */
  async login(name: string, password: string): Promise<void> {
    const { accessToken } = await this.ask<{ accessToken: string }>('POST', '/login', { name, password });
    this.#token = accessToken;
  }

  /** Undefined where there is no more to say than that it is done. */
  async ask<T>(method: 'GET' | 'POST' | 'PUT', path: string, body?: object): Promise<T> {
    const response = await fetch(new URL(`/api/v1${path}`, this.url), {
      method,
      headers: {
        ...(this.#token !== '' && { authorization: `Bearer ${this.#token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.ok) return (text === '' ? undefined : JSON.parse(text)) as T;
    throw new SparcError('ERR_SIMULATOR_CLOUD_REFUSED', `${method} ${path}: ${response.status} ${text}`);
  }
}
