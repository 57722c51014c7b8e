import { Vocabulary } from './vocabulary.js';
import type { Setting } from './world.js';

/** What `given` says of the time before the scenario; whatever else it says happens in order after the start. */
export const SETTINGS = new Vocabulary<Setting>([
  {
    phrase: 'the time is {time}',
    means: 'on the wall of the site, as `2026-01-05 10:00`; `+hh:mm` behind it where the clock shows a time twice',
    run: (setting, time) => void (setting.startText = time ?? ''),
  },
  {
    phrase: 'there is no time source',
    means: 'nobody has ever confirmed the clock of the machine; without this, somebody does all the time',
    run: (setting) => void (setting.hasTimeSource = false),
  },
  {
    phrase: '{holder} is in {area}',
    means: 'the ledger says so',
    run: ({ history }, holderId = '', to = '') =>
      void history.push({ name: 'area.moved', holderId, detail: { to, certain: 'true' } }),
  },
  {
    phrase: '{holder} is outside',
    means: 'the ledger says that this holder left',
    run: ({ history }, holderId = '') =>
      void history.push({ name: 'area.moved', holderId, detail: { certain: 'true' } }),
  },
  {
    phrase: '{holder} may be in {area}',
    means: 'the ledger says so, and that nobody saw it for certain',
    run: ({ history }, holderId = '', to = '') =>
      void history.push({ name: 'area.moved', holderId, detail: { to, certain: 'false' } }),
  },
  {
    phrase: '{device} is away',
    means: 'the device does not answer from the start',
    run: ({ away }, device = '') => void away.add(device),
  },
]);
