import type { SourceDocument } from '@sparc/protocol/document';
import { pathText } from '@sparc/protocol/document';
import type { SiteFile } from '@sparc/protocol/policy';
import { checkSite, SiteCheck } from '@sparc/protocol/site-check';
import type { DraftProblem } from './draft-object.js';
import { idOf, isSingle, POLICY_KINDS, type PolicyKind } from './kinds.js';

/** What is wrong across the objects of a draft, each of which is right by itself. Empty where it may be published. */
export function draftProblems(file: Partial<SiteFile>, site: string): readonly DraftProblem[] {
  const problems: DraftProblem[] = POLICY_KINDS.filter((kind) => isSingle(kind) && file[kind] === undefined).map(
    (kind) => ({ kind, path: '', message: 'is missing' }),
  );
  if (file.site !== undefined && file.site.id !== site) {
    problems.push({ kind: 'site', id: 'site', path: 'id', message: `is not \`${site}\`` });
  }
  const source: SourceDocument = {
    fileName: site,
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
  checkSite(new SiteCheck(source, []));
  return problems;
}
