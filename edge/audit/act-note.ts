import { mkdirSync, readdirSync } from 'node:fs';
import { readdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { ADMIN_EVENTS, type EventDescription } from '@sparc/protocol/events';
import { createFileDurably, replaceFileDurably } from '../platform/index.js';

/** What people do to a data directory by the command line. */
export type ActName = Exclude<keyof typeof ADMIN_EVENTS, 'config.changed' | 'audit.unreadable'>;
const ACT_NAMES: readonly ActName[] = [
  'policy.applied',
  'bundle.imported',
  'escrow.copied',
  'keys.restored',
  'ledger.exported',
  'ledger.brought',
  'site.joined',
];

type FactOf<Mark> = Mark extends `${infer Fact}?` ? Fact : never;
/** What is known of an act once it is done, by the names of the catalogue. */
export type ActFacts<Name extends ActName> = Readonly<
  Record<FactOf<keyof (typeof ADMIN_EVENTS)[Name]['detail']>, string>
>;

const Text = Type.String({ maxLength: 256 });
/** An entry holds no longer detail. */
const FACT_LENGTH_MAX = 1_024;
const ActNote = Type.Object(
  {
    name: Type.Union(ACT_NAMES.map((name) => Type.Literal(name))),
    by: Text,
    account: Text,
    atUnixMs: Type.Integer({ minimum: 0 }),
    outcome: Type.Union([Type.Literal('begun'), Type.Literal('done'), Type.Literal('failed')]),
    code: Type.Optional(Text),
    facts: Type.Record(Type.String({ maxLength: 64 }), Type.String({ maxLength: FACT_LENGTH_MAX })),
  },
  { additionalProperties: false },
);
/** An act, noted on disk until the gateway has it in its journal. */
export type ActNote = Static<typeof ActNote>;

const FOLDER = 'acts';
const SUFFIX = '.json';
const folderOf = (dataDir: string): string => join(dataDir, FOLDER);
const pathOf = (dataDir: string, id: string): string => join(folderOf(dataDir), `${id}${SUFFIX}`);
const bytesOf = (note: ActNote): Uint8Array => Buffer.from(JSON.stringify(note));

/** Notes that wait; further acts are refused, so that none goes unrecorded. */
export const ACTS_WAITING_MAX = 10_000;

/** Throws what the file system throws, or when too many wait. */
export function createNote(dataDir: string, id: string, note: ActNote): void {
  mkdirSync(folderOf(dataDir), { recursive: true, mode: 0o700 });
  if (readdirSync(folderOf(dataDir)).length >= ACTS_WAITING_MAX) {
    throw new Error(`${ACTS_WAITING_MAX} acts wait to be recorded: start the gateway`);
  }
  createFileDurably(pathOf(dataDir, id), bytesOf(note));
}

export function replaceNote(dataDir: string, id: string, note: ActNote): void {
  replaceFileDurably(pathOf(dataDir, id), bytesOf(note));
}

/** Oldest first; none where nothing was ever noted. Throws what else the file system throws. */
export async function listNotes(dataDir: string): Promise<string[]> {
  const names = (await unlessAbsent(readdir(folderOf(dataDir)))) ?? [];
  return names
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => name.slice(0, -SUFFIX.length))
    .sort();
}

/** Undefined for what is no note. Throws what the file system throws. */
export async function readNote(dataDir: string, id: string): Promise<ActNote | undefined> {
  const text = await readFile(pathOf(dataDir, id), 'utf8');
  try {
    const note: unknown = JSON.parse(text);
    return Value.Check(ActNote, note) && areDescribed(note) ? note : undefined;
  } catch {
    return undefined;
  }
}

export const removeNote = (dataDir: string, id: string): Promise<void> => unlink(pathOf(dataDir, id));

/** Undefined for what is not there. */
export async function unlessAbsent<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function areDescribed({ name, facts }: ActNote): boolean {
  const { detail = {} }: EventDescription = ADMIN_EVENTS[name];
  return Object.keys(facts).every((fact) => `${fact}?` in detail);
}
