import { Type, type Static } from '@sinclair/typebox';
import { AbsorbedDirective } from './absorbed-directive.js';
import { closed, Id } from './schema-terms.js';
import { SiteFile } from './site-file.js';

const LISTS_OF_FIRST_VERSION = [
  'devices',
  'readers',
  'inputs',
  'outputs',
  'areas',
  'doors',
  'accessPoints',
  'specialDayGroups',
  'schedules',
] as const;

/** What a plan has lists of, each entry under an id. */
export const PLAN_LISTS = [...LISTS_OF_FIRST_VERSION, 'linkageRules'] as const;

/** All of a site but its people: what the doors are made of, when they are open, which cards are read. */
export const SitePlan = Type.Composite([
  Type.Required(Type.Pick(SiteFile, ['site', 'cardFormats', ...LISTS_OF_FIRST_VERSION])),
  /** Emergency files of earlier versions have none. */
  Type.Pick(SiteFile, ['linkageRules']),
  /** No person writes them: the authority does that publishes the plan. As above. */
  Type.Object({ absorbedDirectives: Type.Optional(Type.Array(AbsorbedDirective)) }),
]);
export type SitePlan = Static<typeof SitePlan>;

/** What is left of an emergency credential when no policy is readable: it stands for itself, without holder and profiles. */
export const EmergencyCard = closed({
  credentialId: Id,
  /** Absent in files of earlier versions. */
  holderId: Type.Optional(Id),
  /** As `identifierKey` makes them. */
  identifierKeys: Type.Array(Type.String()),
  accessPointIds: Type.Array(Id),
});
export type EmergencyCard = Static<typeof EmergencyCard>;
