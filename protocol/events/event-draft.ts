import type { EVENTS, EventName } from './catalogue.js';
import type { EventRecord } from './event-record.js';

type Optional<Mark> = Mark extends `${infer Name}?` ? Name : never;
type Required<Mark> = Mark extends `${string}?` ? never : Mark;

type Fields<Mark> = { readonly [Name in Required<Mark> & keyof EventRecord]: NonNullable<EventRecord[Name]> } & {
  readonly [Name in Optional<Mark> & keyof EventRecord]?: NonNullable<EventRecord[Name]>;
};
type Details<Mark> = { readonly [Name in Required<Mark> & string]: string } & {
  readonly [Name in Optional<Mark>]?: string;
};

type Described<Name extends EventName> = (typeof EVENTS)[Name];
type FieldsOf<Name extends EventName> =
  Described<Name> extends { readonly fields: readonly (infer Mark)[] } ? Fields<Mark> : unknown;
type DetailOf<Name extends EventName> =
  Described<Name> extends { readonly detail: infer Detail }
    ? [Required<keyof Detail>] extends [never]
      ? { readonly detail?: Details<keyof Detail> }
      : { readonly detail: Details<keyof Detail> }
    : unknown;

type Flat<T> = { [Key in keyof T]: T[Key] };

/** An event of these names as it has to be written: with the fields and details that the catalogue says it has, and no others. */
export type EventOf<Name extends EventName> = {
  [Each in Name]: Flat<
    { readonly name: Each; readonly causeId?: NonNullable<EventRecord['causeId']> } & FieldsOf<Each> & DetailOf<Each>
  >;
}[Name];

/** Any event, as it has to be written. What was written is read as an `EventRecord`: perhaps an older version wrote it. */
export type EventDraft = EventOf<EventName>;
