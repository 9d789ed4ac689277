// Where did my message go: what all logs say of an id, an address or a message-id.

import { fill, h } from '../ui/dom.js';
import { lines } from '../ui/lines.js';
import * as api from '../ui/api.js';
import { counted } from '../lib/format.js';
import { build } from '../lib/route.js';
import { twin } from '../lib/twin.js';

export function show(main, { route }) {
  const what = route.filters.what ?? '';
  const out = h('div');
  const input = h('input', {
    name: 'what',
    type: 'search',
    value: what,
    required: true,
    placeholder: 'queue id, a@b, @domain or message-id',
    autocomplete: 'off',
    autocapitalize: 'none',
    spellcheck: 'false',
  });
  fill(
    main,
    h('h1', 'Trace'),
    h(
      'form.filters',
      {
        role: 'search',
        onsubmit: (e) => {
          e.preventDefault();
          location.hash = build('trace', null, { what: input.value.trim() });
        },
      },
      h('label.grow', h('span', 'Where did it go?'), input),
      h('div.buttons', h('button.main', { type: 'submit' }, 'Trace')),
    ),
    out,
  );
  let over = false;
  if (what !== '') {
    fill(out, h('p.none', 'Reading the logs …'));
    api.get('trace', { what }).then(
      (answer) => {
        if (over) return;
        const list = answer.lines ?? [];
        fill(
          out,
          h(
            'p.total',
            { role: 'status' },
            counted(list.length, 'line'),
            answer.truncated ? ' (there are more: use the shell)' : '',
            h('code.command', twin(['trace', what])),
          ),
          lines(list),
        );
      },
      (fault) =>
        !over &&
        fill(
          out,
          h('p.banner.warn', { role: 'alert' }, fault.status === 404 ? 'The logs say nothing of it.' : fault.message),
        ),
    );
  }
  return {
    dispose: () => {
      over = true;
    },
  };
}
