import { svg } from '../../protocol/page/dom.js';
import { apartOf, linksOf } from './mesh-words.js';

/** Up to as many members have their names beside them; more have numbers. */
export const NAMED_MAX = 8;
const NAME_LENGTH_MAX = 18;

/** Boxes in units of the drawing; the page scales it. */
const NAMED = { width: 400, height: 270, across: 130, down: 85, dot: 11, label: 30 };
const NUMBERED = { width: 400, height: 400, across: 178, down: 178, dot: 15, label: 5 };

const LINK_WORDS = { heard: 'hear each other', oneWay: 'hear each other one way only', cut: 'do not hear each other' };

/** Who hears whom, drawn: members in a circle. The list beside it says the same in words. */
export function meshMap(mesh) {
  const { members } = mesh;
  const isNamed = members.length <= NAMED_MAX;
  const box = isNamed ? NAMED : NUMBERED;
  const places = new Map(members.map(({ key }, at) => [key, placeOf(box, at, members.length)]));
  const apart = new Set(apartOf(mesh).map(({ key }) => key));
  return svg(
    'svg',
    {
      class: 'mesh-map',
      'data-numbered': !isNamed,
      viewBox: `0 0 ${box.width} ${box.height}`,
      role: 'img',
      'aria-label': 'Who hears whom',
    },
    linksOf(mesh).map(({ ends, state }) => line(ends, state, places)),
    members.map((member, at) => {
      const { x, y, isUpper } = places.get(member.key);
      const standing = member.isSelf ? 'self' : apart.has(member.key) ? 'apart' : 'heard';
      const labelY = isNamed ? y + (isUpper ? -box.label + 10 : box.label) : y + box.label;
      return svg(
        'g',
        { class: 'mesh-node', 'data-standing': standing },
        svg('title', {}, member.name),
        svg('circle', { cx: x, cy: y, r: box.dot }),
        svg('text', { x, y: labelY, 'text-anchor': 'middle' }, isNamed ? shortened(member.name) : String(at + 1)),
      );
    }),
  );
}

function line(ends, state, places) {
  const [from, to] = ends.map(({ key }) => places.get(key));
  const words = `${ends[0].name} and ${ends[1].name} ${LINK_WORDS[state]}`;
  return svg(
    'line',
    { class: 'mesh-link', 'data-state': state, x1: from.x, y1: from.y, x2: to.x, y2: to.y },
    svg('title', {}, words),
  );
}

/** The first one is at the top. */
function placeOf({ width, height, across, down }, at, membersCount) {
  const angle = (at / membersCount) * 2 * Math.PI - Math.PI / 2;
  const [x, y] = [width / 2 + across * Math.cos(angle), height / 2 + down * Math.sin(angle)];
  return { x: Math.round(x), y: Math.round(y), isUpper: Math.sin(angle) < 0 };
}

const shortened = (name) => (name.length > NAME_LENGTH_MAX ? `${name.slice(0, NAME_LENGTH_MAX - 1)}…` : name);
