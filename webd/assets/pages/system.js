// Processes, versions and disk; who did what; users and tokens.

import { cell, chip, facts, field, figure, fill, h, mail, panel, select, table, time } from '../ui/dom.js';
import { ask, attempt, button } from '../ui/act.js';
import * as api from '../ui/api.js';
import * as format from '../lib/format.js';
import { may } from '../lib/roles.js';
import { build } from '../lib/route.js';
import { twin } from '../lib/twin.js';

const ROLES = [
  ['viewer', 'viewer: looks'],
  ['operator', 'operator: and retries, holds, pauses'],
  ['admin', 'admin: all'],
];

export function show(main, { route, session }) {
  const admin = may(session.role, 'users');
  const parts = { system: h('div'), users: h('div'), tokens: h('div'), audit: h('div') };
  let over = false;
  let timer = 0;
  const load = (name, path, draw) =>
    api.get(path).then(
      (a) => !over && fill(parts[name], draw(a)),
      (fault) => !over && fill(parts[name], h('p.banner.bad', { role: 'alert' }, fault.message)),
    );
  const again = {
    system: () => load('system', 'system', (a) => machine(a, session, again.system)),
    users: () => load('users', 'users', (a) => users(a.users ?? [], session, again.users)),
    tokens: () => load('tokens', 'tokens', (a) => tokens(a.tokens ?? [], again.tokens)),
    audit: () =>
      load(
        'audit',
        `audit?limit=50${route.filters.after ? `&after=${encodeURIComponent(route.filters.after)}` : ''}`,
        (a) => audit(a, route.filters.after),
      ),
  };
  fill(
    main,
    h(
      'div.head',
      h('h1', 'System'),
      button({
        label: 'Change my password',
        key: 'password',
        twin: [['web', 'user', 'password', session.name]],
        run: changePassword,
      }),
    ),
    parts.system,
    admin
      ? [
          panel('Users', parts.users),
          panel(
            'Tokens',
            h('p.hint', 'For programs: a token speaks for a role, in the header Authorization: Bearer.'),
            parts.tokens,
          ),
          panel('Audit log', parts.audit),
        ]
      : null,
  );
  again.system();
  if (admin) ['users', 'tokens', 'audit'].forEach((name) => again[name]());
  return {
    update: () => {
      clearTimeout(timer);
      timer = setTimeout(again.system, 500);
    },
    dispose: () => {
      over = true;
      clearTimeout(timer);
    },
  };
}

async function changePassword() {
  const old = h('input', { name: 'old', type: 'password', required: true, autocomplete: 'current-password' });
  const fresh = h('input', {
    name: 'new',
    type: 'password',
    required: true,
    minlength: 10,
    autocomplete: 'new-password',
  });
  const chosen = await ask({
    heading: 'Change my password',
    confirm: 'Change',
    safe: false,
    take: () => ({ old: old.value, new: fresh.value }),
    body: [field('The old one', old), field('The new one', fresh, 'at least 10 characters')],
  });
  if (chosen)
    await attempt(() => api.post('password', chosen), {
      done: 'The password is changed. Your other sessions have ended.',
    });
}

function machine(a, session, load) {
  const disk = a.disk ?? a.spool;
  // webd last: it is what we speak to. master only watches; whoever restarts it restarts the service.
  const names = [...new Set((a.daemons ?? []).map((d) => d.name))]
    .filter((n) => n !== 'master')
    .sort((x, y) => (x === 'webd') - (y === 'webd'));
  const restart = async (chosen, label) => {
    const own = chosen.includes('webd') ? ' You will have to log in again.' : '';
    const sure = await ask({
      heading: `Restart ${label}?`,
      confirm: 'Restart',
      look: 'danger',
      command: () => chosen.map((name) => twin(['restart', name])).join('; '),
      body: h('p', `The others go on. Nothing that was accepted is lost.${own}`),
    });
    if (sure === null) return;
    for (const name of chosen) {
      const done = await attempt(() => api.post('system/restart', { daemon: name }), {
        done: `${name} is being restarted.`,
        command: twin(['restart', name]),
      });
      if (done === null) break;
    }
    load();
  };
  const can = may(session.role, 'restart');
  return [
    panel(
      'Processes',
      table(
        'Processes',
        ['daemon', '>worker', '>pid', 'state', '>restarts'],
        (a.daemons ?? []).map((d) =>
          h(
            'tr',
            cell('daemon', d.name),
            figure('worker', format.text(d.worker)),
            figure('pid', format.text(d.pid)),
            cell('state', chip(d.state, d.state === 'running' ? 'good' : 'bad')),
            figure('restarts', format.count(d.restarts)),
          ),
        ),
        { compact: true },
      ),
      can
        ? h(
            'div.bulk',
            h('span.scope', 'Restart:'),
            names.map((name) =>
              button({
                label: name,
                key: `restart-${name}`,
                twin: [['restart', name]],
                run: () => restart([name], name),
              }),
            ),
            button({
              label: 'everything',
              key: 'restart-all',
              look: 'danger',
              twin: [['restart', 'NAME']],
              run: () => restart(names, 'everything'),
            }),
          )
        : null,
    ),
    h(
      'div.columns',
      panel(
        'Disk',
        facts([
          ['spool', mail(disk?.path)],
          ['free', disk ? `${format.bytes(disk.free_bytes)} (${format.percent(disk.free_percent)})` : format.DASH],
          ['of', format.bytes(disk?.total_bytes)],
          [
            'new mail',
            disk?.accepting === undefined || disk?.accepting === null
              ? format.DASH
              : disk.accepting
                ? 'accepted'
                : 'REFUSED: less is free than spool.reserve',
          ],
        ]),
      ),
      panel(
        'Versions',
        facts([
          ['Holdfast', mail(a.version)],
          ['host', mail(a.hostname)],
          ...Object.entries(a.libraries ?? {}).map(([name, value]) => [name, mail(value)]),
        ]),
      ),
    ),
  ];
}

function users(list, session, load) {
  const add = async () => {
    const name = h('input', {
      name: 'name',
      required: true,
      pattern: '[A-Za-z0-9._@\\-]{1,64}',
      autocomplete: 'off',
      autocapitalize: 'none',
    });
    const role = select({ name: 'role' }, ROLES, 'operator');
    const password = h('input', {
      name: 'password',
      type: 'password',
      required: true,
      minlength: 10,
      autocomplete: 'new-password',
    });
    const chosen = await ask({
      heading: 'Add a user',
      confirm: 'Add',
      safe: false,
      take: () => ({ name: name.value, role: role.value, password: password.value }),
      command: () => twin(['web', 'user', 'add', name.value || 'NAME'], { role: role.value }),
      body: [field('Name', name), field('Role', role), field('Password', password, 'at least 10 characters')],
    });
    if (chosen && (await attempt(() => api.post('users', chosen), { done: `${chosen.name} can log in.` }))) load();
  };
  const drop = async (u) => {
    const sure = await ask({
      heading: `Remove ${u.name}?`,
      confirm: 'Remove',
      look: 'danger',
      body: h('p', 'Sessions and tokens of this user end at once.'),
      command: () => twin(['web', 'user', 'remove', u.name]),
    });
    if (sure && (await attempt(() => api.remove(`users/${api.word(u.name)}`), { done: `${u.name} is gone.` }))) load();
  };
  return [
    table(
      'Users',
      ['name', 'role', 'made', 'last login', ''],
      list.map((u) =>
        h(
          'tr',
          cell('name', mail(u.name)),
          cell('role', u.role),
          cell('made', time(u.created), u.locked ? h('b', ' has to wait after wrong passwords') : null),
          cell('last login', time(u.last_login, 'ago')),
          cell(
            '',
            u.name === session.name
              ? 'you'
              : button({
                  label: 'Remove',
                  key: `remove-${u.name}`,
                  look: 'danger',
                  twin: [['web', 'user', 'remove', u.name]],
                  run: () => drop(u),
                }),
          ),
        ),
      ),
    ),
    h('div.bulk', button({ label: 'Add a user', key: 'add-user', twin: [['web', 'user', 'add', 'NAME']], run: add })),
  ];
}

function tokens(list, load) {
  const add = async () => {
    const name = h('input', {
      name: 'name',
      required: true,
      pattern: '[A-Za-z0-9._@\\-]{1,64}',
      autocomplete: 'off',
      autocapitalize: 'none',
    });
    const role = select({ name: 'role' }, ROLES, 'viewer');
    const chosen = await ask({
      heading: 'Make a token',
      confirm: 'Make',
      safe: false,
      take: () => ({ name: name.value, role: role.value }),
      command: () => twin(['web', 'token', 'add', name.value || 'NAME'], { role: role.value }),
      body: [field('Name', name, 'what it is for'), field('Role', role)],
    });
    const made = chosen && (await attempt(() => api.post('tokens', chosen)));
    if (!made) return;
    await ask({
      heading: 'The token, shown this once',
      confirm: 'I have it',
      body: [h('p', 'Only its hash is kept.'), h('code.secret', made.token)],
    });
    load();
  };
  const drop = async (t) => {
    const sure = await ask({
      heading: `Remove the token ${t.name}?`,
      confirm: 'Remove',
      look: 'danger',
      body: h('p', 'What uses it is refused from now on.'),
      command: () => twin(['web', 'token', 'remove', t.id ?? t.name]),
    });
    if (sure && (await attempt(() => api.remove(`tokens/${api.word(t.id ?? t.name)}`), { done: `${t.name} is gone.` })))
      load();
  };
  return [
    table(
      'Tokens',
      ['name', 'role', 'made', 'by', 'expires', 'last used', ''],
      list.map((t) =>
        h(
          'tr',
          cell('name', mail(t.name)),
          cell('role', format.text(t.role)),
          cell('made', time(t.created)),
          cell('by', mail(t.made_by)),
          cell('expires', time(t.expires)),
          cell('last used', time(t.last_used, 'ago')),
          cell(
            '',
            button({
              label: 'Remove',
              key: `token-${t.id}`,
              look: 'danger',
              twin: [['web', 'token', 'remove', t.id ?? t.name]],
              run: () => drop(t),
            }),
          ),
        ),
      ),
      { none: 'There is none.' },
    ),
    h(
      'div.bulk',
      button({ label: 'Make a token', key: 'add-token', twin: [['web', 'token', 'add', 'NAME']], run: add }),
    ),
  ];
}

function audit(a, after) {
  return [
    table(
      'Audit log',
      ['time', 'who', 'from', 'action', 'on what', 'result'],
      (a.entries ?? []).map((e) =>
        h(
          'tr',
          cell('time', time(e.time)),
          cell('who', mail(e.name)),
          cell('from', mail(e.address)),
          cell('action', mail(e.action)),
          cell('on what', mail(e.detail)),
          cell('result', mail(e.result)),
        ),
      ),
      { none: 'Nothing was done yet.' },
    ),
    h(
      'nav.pager',
      { 'aria-label': 'Pages of the audit log' },
      after ? h('a.button', { href: '#/system' }, '« First') : null,
      a.next ? h('a.button', { href: build('system', null, { after: a.next }) }, 'Next ›') : null,
    ),
  ];
}
