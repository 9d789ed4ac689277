// Keys: g and a letter goes to a page, / to the filter, j and k along the rows, ? shows them all. They can be switched off.

import { h } from './dom.js';
import { PAGES } from '../lib/pages.js';

const OFF = 'holdfast.keys';
let armed = 0;

const off = () => {
  try {
    return localStorage.getItem(OFF) === 'off';
  } catch {
    return false;
  }
};

const typing = (target) => target.closest?.('input:not([type=checkbox]), textarea, select, dialog, [contenteditable]');

export function install(active) {
  addEventListener('keydown', (event) => {
    if (!active() || event.ctrlKey || event.altKey || event.metaKey || typing(event.target)) return;
    if (event.key === '?') help();
    else if (!off() && press(event.key)) event.preventDefault();
  });
}

function press(key) {
  if (Date.now() - armed < 1500) {
    armed = 0;
    const page = PAGES.find((p) => p.key === key);
    if (page) location.hash = `#/${page.name}`;
    return Boolean(page);
  }
  if (key === 'g') armed = Date.now();
  else if (key === '/') document.querySelector('main input, main select')?.focus();
  else if (key === 'j' || key === 'k') step(key === 'j' ? 1 : -1);
  else if (key === 'x') document.activeElement?.closest('tr')?.querySelector('input[type=checkbox]')?.click();
  else return false;
  return true;
}

// The next row's own link, or the first.
function step(by) {
  const links = [...document.querySelectorAll('main tbody tr a.row')];
  if (links.length === 0) return;
  const here = document.activeElement?.closest('tr');
  const at = links.findIndex((l) => l.closest('tr') === here);
  const next = links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + by))];
  next.focus();
  next.scrollIntoView({ block: 'nearest' });
}

export function help() {
  if (document.querySelector('dialog')) return;
  const lines = [
    ...PAGES.filter((p) => p.key).map((p) => [`g ${p.key}`, p.title]),
    ['/', 'first filter of the page'],
    ['j k', 'next, previous row'],
    ['x', 'select the row'],
    ['Enter', 'open'],
    ['Esc', 'leave a dialog'],
    ['?', 'this list'],
  ];
  const box = h('input', {
    type: 'checkbox',
    checked: !off(),
    onchange: () => {
      try {
        localStorage.setItem(OFF, box.checked ? 'on' : 'off');
      } catch {
        /* then they stay as they are */
      }
    },
  });
  const opener = document.activeElement;
  const close = () => {
    dialog.close();
    dialog.remove();
    opener?.focus?.();
  };
  const dialog = h(
    'dialog',
    {
      'aria-labelledby': 'keys-heading',
      oncancel: (event) => {
        event.preventDefault();
        close();
      },
    },
    h('h2', { id: 'keys-heading' }, 'Keys'),
    h(
      'dl.keys',
      lines.map(([key, what]) =>
        h(
          'div',
          h(
            'dt',
            key.split(' ').map((k) => h('kbd', k)),
          ),
          h('dd', what),
        ),
      ),
    ),
    h('label.check', box, ' single keys do this'),
    h('div.buttons', h('button', { type: 'button', autofocus: true, onclick: close }, 'Close')),
  );
  document.body.append(dialog);
  dialog.showModal();
}
