// The configuration in force, what the file would change, and putting it into force.

import { cell, fill, h, mail, panel, table } from '../ui/dom.js';
import { ask, attempt, button } from '../ui/act.js';
import * as api from '../ui/api.js';
import { counted } from '../lib/format.js';
import { may } from '../lib/roles.js';
import { build } from '../lib/route.js';
import { twin } from '../lib/twin.js';

export function show(main, { route, session }) {
  const wanted = route.filters.name ?? '';
  const changed = route.filters.changed === '1';
  const list = h('div', h('p', 'Looking …'));
  const said = h('div', { role: 'status' });
  const diff = h('div');
  const admin = may(session.role, 'reload');
  let settings = [];
  let over = false;
  const draw = () => fill(list, settingsTable(settings, wanted, changed));
  const fail = (box) => (fault) => !over && fill(box, h('p.banner.bad', { role: 'alert' }, mail(fault.message)));
  const load = () => {
    api.get('config').then((a) => {
      settings = a.settings ?? [];
      if (!over) draw();
    }, fail(list));
    if (admin) api.get('config/diff').then((a) => !over && fill(diff, difference(a.changes ?? [])), fail(diff));
  };
  const check = async (e) =>
    fill(said, verdict(await attempt(() => api.post('config/check'), { control: e.currentTarget })));
  const reload = async () => {
    const { changes = [] } = await api.get('config/diff').catch(() => ({}));
    const sure = await ask({
      heading: 'Reload the configuration?',
      confirm: 'Reload',
      body: difference(changes),
      command: () => twin(['config', 'reload']),
    });
    if (sure === null) return;
    await attempt(() => api.post('config/reload'), {
      done: 'The configuration is in force.',
      command: twin(['config', 'reload']),
    });
    load();
  };
  const input = h('input', {
    name: 'name',
    type: 'search',
    value: wanted,
    autocomplete: 'off',
    autocapitalize: 'none',
    spellcheck: 'false',
    placeholder: 'part of a name',
  });
  const box = h('input', { type: 'checkbox', name: 'changed', checked: changed, onchange: () => go() });
  const go = () => {
    location.hash = build('config', null, { name: input.value.trim(), changed: box.checked ? '1' : '' });
  };
  fill(
    main,
    h(
      'div.head',
      h('h1', 'Config'),
      h(
        'div.bulk',
        admin
          ? [
              button({ label: 'Check the file', key: 'check', twin: [['config', 'check']], run: check }),
              button({ label: 'Reload', key: 'reload', look: 'main', twin: [['config', 'reload']], run: reload }),
            ]
          : null,
      ),
    ),
    said,
    admin ? panel('What a reload would change', diff) : null,
    h(
      'section.panel',
      h('h2', 'In force'),
      h(
        'form.filters',
        {
          role: 'search',
          onsubmit: (e) => {
            e.preventDefault();
            go();
          },
        },
        h('label', h('span', 'setting'), input),
        h('label.check', box, ' only what differs from the default'),
        h('div.buttons', h('button.main', { type: 'submit' }, 'Filter')),
      ),
      list,
    ),
  );
  load();
  return {
    dispose: () => {
      over = true;
    },
  };
}

function settingsTable(settings, wanted, changed) {
  const shown = settings.filter((s) => s.name.includes(wanted) && !(changed && s.default));
  return [
    h(
      'p.total',
      counted(shown.length, 'setting'),
      h('code.command', changed ? 'gatewayctl config show -n' : 'gatewayctl config show'),
    ),
    table(
      'Settings',
      ['setting', 'value', 'from'],
      shown.map((s) =>
        h(
          'tr',
          cell('setting', h('code', mail(s.name))),
          cell('value', mail(s.value)),
          cell('from', h('span.tight', s.default ? 'default' : h('b', 'configured'))),
        ),
      ),
    ),
  ];
}

function difference(changes) {
  return table(
    'What a reload would change',
    ['setting', 'now', 'then', ''],
    changes.map((c) =>
      h(
        'tr',
        cell('setting', h('code', mail(c.name))),
        cell('now', mail(c.before)),
        cell('then', mail(c.after)),
        cell('', c.needs_restart ? h('b', 'needs a restart') : ''),
      ),
    ),
    { none: 'Nothing: the running configuration is the one in the file.' },
  );
}

function verdict(answer) {
  if (answer === null) return null;
  const warnings = (answer.warnings ?? []).map((w) => h('p.banner.warn', mail(w)));
  return [answer.good ? h('p.banner.good', 'The file is good.') : h('p.banner.bad', mail(answer.error)), warnings];
}
