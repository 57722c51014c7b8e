import { problemsOf } from '@sparc/protocol/document';
import { validateSiteFile } from '@sparc/edge/policy';

/** A small site file that is right: two doors, one with readers on both sides, every kind of entry once. */
export const SITE_FILE = `version: 1
site: { id: harbour, name: Harbour Street, timeZone: Europe/Berlin }
cardFormats:
  - { format: h10301, facilityCodes: [123] }
  - { format: simplex-36 }
devices:
  - { id: front-out, bus: bus-a, address: 0, side: unsecured }
  - { id: front-io, bus: bus-a, address: 1, side: secured }
  - { id: lab-io, bus: bus-b, address: 0, side: secured, secureChannel: clear, dialect: osdp-net }
readers:
  - { id: front-reader, device: front-out }
  - { id: inner-reader, device: front-io }
  - { id: lab-reader, device: lab-io, number: 1 }
inputs:
  - { id: front-contact, device: front-io, number: 0 }
  - { id: front-button, device: front-io, number: 1, activeWhen: inactive }
outputs:
  - { id: front-strike, device: front-io, number: 0 }
  - { id: lab-strike, device: lab-io, number: 0 }
  - { id: front-relay, device: front-out, number: 0 }
areas:
  - { id: street, name: Street }
  - { id: hall, name: Hall }
doors:
  - id: front
    name: Front door
    lock: { output: front-strike, type: failSecure }
    contact: { input: front-contact }
    exitRequest: { input: front-button }
    timings: { openTimeMs: 30000, preAlarmTimeMs: 5000 }
    heldAlarm: true
    unlockSchedule: office
  - id: lab
    name: Laboratory
    lock: { output: lab-strike, type: failSafe }
    contact: null
accessPoints:
  - { id: front-in, name: In, door: front, reader: front-reader, direction: entry, areaFrom: street, areaTo: hall }
  - { id: front-out, name: Out, door: front, reader: inner-reader, direction: exit }
  - { id: lab-in, name: Lab, door: lab, reader: lab-reader, direction: entry, authentication: cardAndPin }
specialDayGroups:
  - { id: holidays, name: Holidays, days: [{ date: 2026-12-25, name: Christmas }] }
schedules:
  - id: office
    name: Office hours
    weekly: [{ days: [mo, tu, we, th, fr], from: "08:00", to: "18:00" }]
    specialDays: [{ group: holidays, windows: [] }]
accessProfiles:
  - { id: staff, name: Staff, policies: [{ accessPoint: front-in, schedule: office }] }
  - { id: lab-staff, name: Lab, policies: [{ accessPoint: lab-in, schedule: always }] }
credentialHolders:
  - { id: ada, name: Ada }
  - { id: bob, name: Bob, status: suspended }
credentials:
  - id: card-ada
    holder: ada
    pin: "4711"
    validFrom: 2026-01-01
    validTo: 2026-06-07
    identifiers: [{ format: h10301, facility: 123, number: 4567 }, { bits: 56, value: 04a1b2c3d4e5f6 }]
    accessProfiles: [staff, lab-staff]
  - id: card-bob
    holder: bob
    status: lost
    identifiers: [{ format: simplex-36, facility: 9, number: 77, issue: 2 }]
    accessProfiles: []
  - id: card-chief
    holder: ada
    identifiers: [{ format: h10301, facility: 123, number: 1 }]
    accessProfiles: [staff]
emergencyCredentials:
  - { credential: card-chief, accessPoints: [front-in] }
`;

/** The text with one part replaced, which must be there exactly once, and the line of that part. */
export function edited(text: string, from: string, to: string): { text: string; line: number } {
  const at = text.indexOf(from);
  if (at < 0 || text.includes(from, at + 1)) throw new Error(`not exactly once in the text: ${from}`);
  return { text: text.replace(from, () => to), line: text.slice(0, at).split('\n').length };
}

/** The problems of a site file; none of a right one. */
export function problemsIn(text: string): ReturnType<typeof problemsOf> {
  try {
    validateSiteFile(text, 'site.yaml');
    return [];
  } catch (error) {
    const problems = problemsOf(error);
    if (problems.length === 0) throw error;
    return problems;
  }
}

/** As `problemsIn`, `PATH MESSAGE` each. */
export const siteFileProblems = (text: string): readonly string[] =>
  problemsIn(text).map(({ path, message }) => `${path} ${message}`);
