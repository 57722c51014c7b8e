import { svg } from './dom.js';

/** What each sign is drawn with, in a square of 24. */
const PATHS = {
  locked:
    'M7 10V7a5 5 0 0 1 10 0v3h1a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2v-8a2 2 0 0 1 2-2zm2 0h6V7a3 3 0 0 0-6 0z',
  unlocked:
    'M9 10h9a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2v-8a2 2 0 0 1 2-2h1V6a5 5 0 0 1 9.6-2l-1.9.8A3 3 0 0 0 9 6z',
  granted: 'M12 2a10 10 0 1 1 0 20 10 10 0 0 1 0-20zm4.6 6L10.5 14.2 7.4 11.1 6 12.5l4.5 4.5L18 9.4z',
  denied: 'M12 2a10 10 0 1 1 0 20 10 10 0 0 1 0-20zM6 10.5v3h12v-3z',
  alarm: 'M12 2.5 23 21.5H1zm-1.2 6.5v6h2.4V9zm0 7.5v2.4h2.4v-2.4z',
  info: 'M12 2a10 10 0 1 1 0 20 10 10 0 0 1 0-20zm-1.2 8.5v7h2.4v-7zm0-3.7v2.4h2.4V6.8z',
  door: 'M5 2h14v18h3v2H2v-2h3zm10 9v2.5h1.8V11z',
  exit: 'M4 3h9v2H6v14h7v2H4zm11.6 4.6L20 12l-4.4 4.4-1.4-1.4 2-2H9v-2h7.2l-2-2z',
  reader:
    'M8 2h8a2 2 0 0 1 2 2v16a2 2 0 0 1-2 2H8a2 2 0 0 1-2-2V4a2 2 0 0 1 2-2zm1.5 3v2h5V5zM9 11v2h2v-2zm4 0v2h2v-2zm-4 4v2h2v-2zm4 0v2h2v-2z',
};

/** A sign by its name; decoration only, the words stand beside it. */
export const icon = (name) =>
  svg('svg', { class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true' }, svg('path', { d: PATHS[name] }));
