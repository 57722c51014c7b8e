import { ERRORS, SparcError } from '@sparc/protocol/errors';

/** Where a command writes. With `json`, results are one JSON value on stdout and errors one on stderr. */
export interface Output {
  readonly json: boolean;
  /** `human` ends without a line break. */
  result(value: unknown, human: string): void;
  /** How far something is that takes long, for people: one line that changes, or a line a tenth where nobody watches. */
  progress(text: string, progress: number): void;
  /** The next output begins its own line. */
  progressEnd(): void;
  /** Something for people beside the result, such as that a line is back. */
  note(text: string): void;
  /** A result of any size, as it comes. */
  write(text: string | Uint8Array): void;
  error(error: SparcError): void;
}

export interface Streams {
  readonly out: NodeJS.WritableStream;
  readonly err: NodeJS.WritableStream & { readonly isTTY?: boolean };
  /** Adds the trace of a defect to its message. */
  readonly trace: boolean;
}

export function createOutput({ out, err, trace }: Streams, json: boolean): Output {
  let shown: { readonly text: string; readonly tenth: number } | undefined;
  return {
    json,
    progress(text, progress) {
      const tenth = Math.floor(progress * 10);
      if (json || text === shown?.text || (err.isTTY !== true && tenth === shown?.tenth)) return;
      shown = { text, tenth };
      err.write(err.isTTY === true ? `\r\x1b[2K${text}` : `${text}\n`);
    },
    progressEnd() {
      if (shown !== undefined && err.isTTY === true) err.write('\r\x1b[2K');
      shown = undefined;
    },
    result: (value, human) => out.write(`${json ? JSON.stringify(value, null, 2) : human}\n`),
    note: (text) => !json && err.write(`${text}\n`),
    write: (text) => out.write(text),
    error(error) {
      err.write(`${json ? JSON.stringify(errorValue(error), null, 2) : errorText(error)}\n`);
      if (trace) err.write(`${String((error.cause as Error | undefined)?.stack ?? error.stack)}\n`);
    },
  };
}

/** `{ code, message, action, details }`. */
export function errorValue({ code, message, details }: SparcError) {
  return { code, message, action: ERRORS[code].action, details };
}

/** The code, what it means, what happened, what to do. */
export function errorText({ code, message }: SparcError): string {
  const { meaning, action } = ERRORS[code];
  return [
    `sparc: ${code}: ${meaning}`,
    ...message.split('\n').map((line) => `  ${line}`),
    `  What to do: ${action}`,
  ].join('\n');
}

/** Anything that is no operating error is a defect of the command. */
export function asSparcError(error: unknown): SparcError {
  if (error instanceof SparcError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new SparcError('ERR_CLI_INTERNAL', message, {}, { cause: error });
}
