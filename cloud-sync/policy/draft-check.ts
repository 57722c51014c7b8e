import type { SourceDocument } from '@sparc/protocol/document';
import { pathText } from '@sparc/protocol/document';
import type { SiteFile } from '@sparc/protocol/policy';
import { checkAllButCredentials, checkCredentials, SiteCheck } from '@sparc/protocol/site-check';
import type { DraftProblem } from './draft-object.js';
import { idOf, isSingle, POLICY_KINDS, type PolicyKind } from './kinds.js';

/** Of a site file, or some of it. */
type Lists = Readonly<Partial<Record<PolicyKind, unknown>>>;

/**
 * What is wrong across the objects of a draft, each of which is right by itself, but for its credentials. Of its people it has
 * those whom its emergency credentials name.
 */
export function planProblems(file: Partial<SiteFile>, site: string): readonly DraftProblem[] {
  const problems: DraftProblem[] = POLICY_KINDS.filter((kind) => isSingle(kind) && file[kind] === undefined).map(
    (kind) => ({ kind, path: '', message: 'is missing' }),
  );
  if (file.site !== undefined && file.site.id !== site) {
    problems.push({ kind: 'site', id: 'site', path: 'id', message: `is not \`${site}\`` });
  }
  return [...problems, ...checked(file, checkAllButCredentials)];
}

/**
 * The same of some of its credentials, where `file` has all that they name. `pins`: of those that were checked before. That a
 * card is of one credential is seen to when it is saved.
 */
export const credentialProblems = (file: Lists, pins: Map<string, string>): readonly DraftProblem[] =>
  checked(file, (check) => checkCredentials(check, pins));

function checked(file: Lists, check: (check: SiteCheck) => void): readonly DraftProblem[] {
  const problems: DraftProblem[] = [];
  const source: SourceDocument = {
    fileName: 'draft',
    value: file,
    problem: (code, [list, ...path], message, { suggestion } = {}) => {
      const kind = list as PolicyKind;
      const [index, ...rest] = path;
      const entry = isSingle(kind) ? undefined : (file[kind] as readonly unknown[] | undefined)?.[Number(index)];
      const id = idOf(kind, entry);
      const hint = suggestion === undefined ? '' : ` (did you mean \`${suggestion}\`?)`;
      problems.push({
        kind,
        ...(id !== undefined && { id }),
        path: pathText(isSingle(kind) ? path : rest),
        message: `${message}${hint}`,
      });
      // It has no lines.
      return { code, line: 1, column: 1, path: pathText([list ?? '', ...path]), message };
    },
  };
  check(new SiteCheck(source, []));
  return problems;
}
