/** Builds an element. Children that are text become text nodes: data never becomes markup. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== false));
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

/** Builds an element of a drawing, as `h` does one of the page. */
export function svg(tag, properties = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(properties)) element.setAttribute(name, value);
  element.append(...children.flat());
  return element;
}

/** An element of the page by its id. */
export const byId = (id) => document.getElementById(id);

/** Keeps one child of `list` for each item, in the order of the items; a child is made once and updated after. */
export function keyed(list, items, { key, make, update }) {
  const present = new Map([...list.children].map((child) => [child.dataset.key, child]));
  items.forEach((item, index) => {
    const name = key(item);
    let child = present.get(name);
    present.delete(name);
    if (child === undefined) {
      child = make(item);
      child.dataset.key = name;
    }
    update?.(child, item);
    if (list.children[index] !== child) list.insertBefore(child, list.children[index] ?? null);
  });
  for (const child of present.values()) child.remove();
}
