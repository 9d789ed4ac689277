// Elements without a line of HTML: whatever is text becomes a text node, so that no mail can become markup.

import { pieces, visible } from '../lib/marks.js';
import * as format from '../lib/format.js';

// h('a.button', {href: '#/queue', onclick: f, 'aria-label': 'x', data: {id: 1}}, 'text', child, [children], null)
export function h(selector, ...rest) {
  const [tag, ...classes] = selector.split('.');
  const element = document.createElement(tag || 'div');
  if (classes.length > 0) element.className = classes.join(' ');
  const isProperties =
    rest[0] !== null && typeof rest[0] === 'object' && !(rest[0] instanceof Node) && !Array.isArray(rest[0]);
  set(element, isProperties ? rest.shift() : {});
  append(element, rest);
  return element;
}

export function svg(tag, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  append(element, children);
  return element;
}

function set(element, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'data') Object.assign(element.dataset, value);
    else if (name === 'value' || name === 'checked' || name === 'disabled' || name === 'selected')
      element[name] = value;
    else element.setAttribute(name, value === true ? '' : String(value));
  }
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

// Puts new children in, and the keyboard back to where it was: the element with the same data-key.
export function fill(container, ...children) {
  const key = container.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  const next = document.createDocumentFragment();
  append(next, children);
  container.replaceChildren(next);
  if (key !== undefined) container.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
  return container;
}

// What a stranger wrote: isolated from its neighbours' direction, and with nothing unseen in it.
export function mail(value, { layout = false, empty = format.DASH } = {}) {
  if (value === null || value === undefined || value === '') return document.createTextNode(empty);
  return h(
    layout ? 'span.mail' : 'bdi.mail',
    pieces(value, { layout }).map((p) =>
      p.mark ? h('span.mark', { title: p.title, role: 'img', 'aria-label': `${p.text} (${p.title})` }, p.text) : p.text,
    ),
  );
}

export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';

// A time in the admin's zone; the exact one when it is pointed at. `show`: clock, second, ago or ahead.
export function time(value, show = 'clock') {
  const ms = format.instant(value);
  if (ms === null) return document.createTextNode(format.DASH);
  const now = Date.now();
  const words =
    show === 'ago'
      ? format.ago(ms, now)
      : show === 'ahead'
        ? format.ahead(ms, now)
        : format.clock(ms, zone(), now, show === 'second');
  return h('time', { datetime: new Date(ms).toISOString(), title: format.exact(ms, zone()) }, words);
}

export const title = (value) => visible(value);

const LOOKS = {
  up: 'good',
  running: 'good',
  down: 'bad',
  draining: 'warn',
  paused: 'warn',
  deferred: 'plain',
  active: 'good',
  held: 'warn',
  frozen: 'cold',
  critical: 'bad',
  warning: 'warn',
  sent: 'good',
  refused: 'bad',
  pass: 'good',
  warn: 'warn',
  fail: 'bad',
  open: 'plain',
};
const SIGNS = { good: '●', bad: '▲', warn: '◆', cold: '❄', plain: '○', none: '○' };

// A state as a word with a sign of its own: colour is never all there is.
export function chip(state, look = LOOKS[state] ?? 'none') {
  return h(`span.chip.${look}`, h('span', { 'aria-hidden': 'true' }, SIGNS[look] ?? '○'), ' ', state ?? format.DASH);
}

// `listing`: on paper of its own. `compact`: few enough columns for a phone; others become blocks there.
export function table(caption, heads, rows, { none = 'Nothing.', listing = false, compact = false } = {}) {
  if (rows.length === 0) return h('p.none', none);
  return h(
    listing ? 'div.scroll.listing' : 'div.scroll',
    { tabindex: 0, role: 'region', 'aria-label': caption },
    h(
      compact ? 'table.compact' : 'table.blocks',
      h('caption.hidden', caption),
      h(
        'thead',
        h(
          'tr',
          heads.map((head) => headCell(head)),
        ),
      ),
      h('tbody', rows),
    ),
  );
}

// "NAME", or ">NAME" for figures.
function headCell(head) {
  if (head instanceof Node) return head;
  return head.startsWith('>') ? h('th.figure', { scope: 'col' }, head.slice(1)) : h('th', { scope: 'col' }, head);
}

// A cell that a phone shows with its column's name in front.
export const cell = (label, ...children) => h('td', { data: { label } }, children);
export const figure = (label, ...children) => h('td.figure', { data: { label } }, children);

// Pairs of a name and what it is.
export const facts = (pairs) =>
  h(
    'dl.facts',
    pairs.filter(Boolean).map(([name, ...value]) => h('div', h('dt', name), h('dd', value))),
  );

export const panel = (heading, ...children) => h('section.panel', h('h2', heading), children);

export function field(label, control, hint = null) {
  return h('label.field', h('span', label), control, hint && h('small', hint));
}

export function select(properties, options, chosen) {
  return h(
    'select',
    properties,
    options.map(([value, label]) => h('option', { value, selected: value === (chosen ?? '') }, label)),
  );
}
