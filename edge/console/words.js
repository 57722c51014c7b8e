/** Says states of doors, readers and the site in plain words. */

export const LOCK_WORDS = {
  locked: 'Locked',
  released: 'Released',
  unlocked: 'Unlocked',
  blocked: 'Blocked',
  lockedDown: 'Locked down',
  lockedOpen: 'Locked open',
  doubleLocked: 'Double locked',
};
export const CONTACT_WORDS = {
  open: 'Open',
  closed: 'Closed',
  unknown: 'Not known whether open',
  fault: 'Contact fault',
};
export const ALARM_WORDS = {
  forced: 'Forced open',
  held: 'Held open too long',
  heldWarning: 'Open: close it soon',
};
export const LINK_WORDS = { online: 'Online', connecting: 'Connecting', offline: 'Offline' };
/** Of the clock, by its quality; one that is confirmed is not worth a word. */
export const CLOCK_WORDS = {
  holdover: 'Clock not confirmed at the moment',
  unsynced: 'Clock not confirmed',
  stepped: 'Clock not believed',
};
export const DIRECTION_WORDS = { entry: 'Entry', exit: 'Exit' };
export const INDICATION_WORDS = {
  locked: 'LED red: locked',
  unlocked: 'LED green: unlocked',
  processing: 'LED amber: working',
  pinRequired: 'LED amber: PIN, please',
  cardRequired: 'LED amber: another card, please',
  granted: 'LED green: granted',
  denied: 'LED red: denied',
  heldOpen: 'LED red: held open',
};

/** What is raised, worst first, and the event that raises it. */
const RAISED = {
  fire: { name: 'fire.alarm', words: ({ input }) => `Fire alarm ${input}` },
  evacuation: { name: 'fire.evacuation', words: () => 'Evacuation' },
  lockdown: { name: 'site.lockdown', words: () => 'Lockdown' },
  threat: { name: 'site.threat_level', words: ({ level }) => `Threat level ${level}` },
};

/** What was raised and stands, worst first; what was raised more than once is told once, with all who did. */
export function standingOf({ raises }) {
  const standing = new Map();
  for (const [what, { name, words }] of Object.entries(RAISED)) {
    const those = raises.filter((raise) => raise.what === what).sort((a, b) => (b.level ?? 0) - (a.level ?? 0));
    for (const raise of those) {
      const text = [words(raise), ...(raise.scope === undefined ? [] : [`in ${raise.scope.join(', ')}`])].join(' ');
      const known = standing.get(text);
      if (known === undefined) standing.set(text, { name, words: text, raises: [raise] });
      else known.raises.push(raise);
    }
  }
  return [...standing.values()];
}

/** Who raised what stands, and when. */
export const raisersOf = (raises, clock) =>
  `Raised by ${raises.map(({ by, atUnixMs }) => `${by}, ${clock.full(atUnixMs)}`).join('; ')}.`;
