import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import { documentError, pathText, type JsonPath, type Problem, type SourceDocument } from '@sparc/protocol/document';
import type { ErrorCode } from '@sparc/protocol/errors';

export interface SourceOptions {
  /** Code of the error that is thrown. */
  readonly code: ErrorCode;
  /** In UTF-16 code units. A YAML tree takes about 130 bytes of memory for each. */
  readonly lengthMax: number;
}

/** Aliases of anchors may be used this often before the file counts as an attack on memory. */
const ALIASES_MAX = 100;

/** Parses, or throws one error that lists every syntax problem. */
export function parseSource(text: string, fileName: string, { code, lengthMax }: SourceOptions): SourceDocument {
  const lines = new LineCounter();
  const fail = (problems: readonly Problem[]) => documentError(code, fileName, problems);
  const whole = (message: string): Problem => ({ code, line: 1, column: 1, path: '', message });
  if (text.length > lengthMax) {
    throw fail([whole(`is ${text.length} characters long; the most is ${lengthMax}`)]);
  }
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
    if (document.errors.length > 0 || document.warnings.length > 0) {
      throw fail(
        [...document.errors, ...document.warnings].map(({ pos: [offset], message }) => {
          const { line, col } = lines.linePos(offset);
          // The composer catches its own overflow of the stack and reports it as a syntax error.
          const plain = message.startsWith('Maximum call stack') ? 'is nested too deeply' : message;
          return { code, line, column: col, path: '', message: plain.replaceAll('\n', ' ') };
        }),
      );
    }
    return {
      fileName,
      value: document.toJS({ maxAliasCount: ALIASES_MAX }) as unknown,
      problem(problemCode, path, message, { at = 'value', suggestion } = {}) {
        const { line, col } = lines.linePos(offsetOf(document, path, at));
        const hint = suggestion === undefined ? {} : { suggestion };
        return { code: problemCode, line, column: col, path: pathText(path), message, ...hint };
      },
    };
  } catch (error) {
    // The parser recurses by nesting, and refuses by ReferenceError what its alias limit forbids.
    if (error instanceof RangeError) throw fail([whole('is nested too deeply')]);
    if (error instanceof ReferenceError) throw fail([whole('uses too many aliases of anchors')]);
    throw error;
  }
}

function offsetOf(document: Document.Parsed, path: JsonPath, at: 'key' | 'value'): number {
  let node: Node | null = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const [depth, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document) ?? null;
    let child: unknown;
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === String(step));
      if (pair === undefined) break;
      const key = pair.key as Node;
      offset = key.range?.[0] ?? offset;
      if (depth === path.length - 1 && at === 'key') break;
      child = pair.value;
    } else if (isSeq(node)) {
      child = node.items[Number(step)];
    }
    if (child === undefined || child === null) break;
    node = child as Node;
    offset = node.range?.[0] ?? offset;
  }
  return offset;
}
