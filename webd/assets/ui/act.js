// Buttons that do something: each shows the gatewayctl command that does the same, asks before it destroys, and says
// what came of it.

import { h, fill, mail } from './dom.js';
import { twin } from '../lib/twin.js';

// A button with its twin: shown when it is pointed at or has the keyboard, and told to screen readers.
// {label, twin: [words, options], run, look: 'danger'|'main'|'', key, disabled}
export function button({ label, twin: words, run, look = '', key = null, disabled = false, type = 'button' }) {
  const command = words ? twin(...words) : null;
  return h(
    `button${look ? `.${look}` : ''}${command ? '.twin' : ''}`,
    {
      type,
      disabled,
      data: { ...(command ? { twin: command } : {}), ...(key ? { key } : {}) },
      'aria-description': command ? `In a shell: ${command}` : null,
      onclick: run,
    },
    label,
  );
}

let stack = null;

// A notice at the edge of the page; good ones go by themselves, bad ones wait to be read. Returns what closes it.
export function tell(look, words, command = null) {
  stack ??= document.body.appendChild(
    h('div.notices', { role: 'log', 'aria-live': 'polite', 'aria-label': 'What was done' }),
  );
  const close = () => notice.remove();
  const notice = h(
    `div.notice.${look}`,
    { role: look === 'bad' ? 'alert' : null },
    h('div', h('p', words), command && h('code.command', command)),
    h('button.quiet', { type: 'button', 'aria-label': 'Close this notice', onclick: close }, '×'),
  );
  stack.append(notice);
  while (stack.children.length > 4) stack.firstChild.remove();
  if (look === 'good') setTimeout(close, 9000);
  return close;
}

// Runs what a button stands for; the button is quiet meanwhile, and a refusal is told.
export async function attempt(work, { done = null, command = null, control = null } = {}) {
  if (control) control.disabled = true;
  try {
    const answer = await work();
    const words = typeof done === 'function' ? done(answer) : done;
    if (words) tell('good', words, command);
    return answer;
  } catch (fault) {
    if (fault.status !== 401) tell('bad', mail(fault.message), command);
    return null;
  } finally {
    if (control) control.disabled = false;
  }
}

// A question in a dialog: resolves to `take()`'s value, or null when it is left. The safe way out has the keyboard.
export function ask({ heading, body, confirm, look = 'main', command = () => null, take = () => true, safe = true }) {
  return new Promise((resolve) => {
    const opener = document.activeElement;
    const shell = h('code.command');
    const showCommand = () => fill(shell, command() ?? '');
    const form = h(
      'form',
      {
        method: 'dialog',
        oninput: showCommand,
        onsubmit: (event) => {
          event.preventDefault();
          finish(take(form));
        },
      },
      h('h2', { id: 'dialog-heading' }, heading),
      body,
      shell,
      h(
        'div.buttons',
        h('button', { type: 'button', autofocus: safe, onclick: () => finish(null) }, 'Cancel'),
        h(`button.${look}`, { type: 'submit', data: { confirm: '' } }, confirm),
      ),
    );
    const dialog = h(
      'dialog',
      {
        'aria-labelledby': 'dialog-heading',
        oncancel: (event) => {
          event.preventDefault();
          finish(null);
        },
      },
      form,
    );
    const finish = (value) => {
      dialog.close();
      dialog.remove();
      opener?.focus?.();
      resolve(value);
    };
    showCommand();
    document.body.append(dialog);
    dialog.showModal();
  });
}
