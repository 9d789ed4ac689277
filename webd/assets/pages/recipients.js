// Who is known, and what that means while a destination is down.

import { cell, field, figure, fill, h, mail, panel, select, table, time } from '../ui/dom.js';
import { ask, attempt, button, tell } from '../ui/act.js';
import * as api from '../ui/api.js';
import * as format from '../lib/format.js';
import { covered } from './domains.js';
import { may } from '../lib/roles.js';
import { build, only } from '../lib/route.js';
import { twin } from '../lib/twin.js';

const FILTERS = ['domain', 'source', 'address'];
const SOURCES = [
  ['', 'any'],
  ['learnt', 'learnt'],
  ['local', 'local'],
  ['denied', 'denied'],
  ['refused', 'refused while down'],
];
const LIMIT = 100;

const MEANS = {
  known: 'known: while its destination is down, its mail is kept here.',
  denied: 'denied: refused with 550 in every state.',
  unknown: 'unknown: while its destination is down, senders get 451 and keep its mail themselves.',
};

export function show(main, { route, session, status }) {
  const filters = only(route.filters, FILTERS);
  const after = route.filters.after ?? null;
  const list = h('div', h('p', 'Looking …'));
  const coverage = h('div');
  const load = () => fetchList(list, { filters, after, session, load });
  fill(
    main,
    h('h1', 'Recipients'),
    panel('If it went down now', coverage),
    filterForm(filters, status()),
    checkForm(session, load),
    list,
  );
  load();
  return {
    update: (now) =>
      fill(
        coverage,
        table(
          'Covered',
          ['domain', 'destination', 'covered', 'means'],
          (now.domains ?? []).map((d) =>
            h(
              'tr',
              cell('domain', h('a', { href: build('domains', d.name), data: { key: `domain-${d.name}` } }, d.name)),
              cell('destination', d.destination),
              cell('covered', covered(d.coverage_percent)),
              cell(
                'means',
                d.coverage_percent === null
                  ? d.catch_all
                    ? 'a catch-all teaches nothing: only local recipients are kept'
                    : 'nothing was accepted yet'
                  : `${d.coverage_percent} % of the last week's recipients are covered`,
              ),
            ),
          ),
        ),
      ),
  };
}

function filterForm(filters, status) {
  const address = h('input', {
    name: 'address',
    type: 'search',
    value: filters.address ?? '',
    placeholder: 'a@b, or a part',
    autocomplete: 'off',
    autocapitalize: 'none',
    spellcheck: 'false',
  });
  const form = h(
    'form.filters',
    {
      role: 'search',
      'aria-label': 'Filter recipients',
      onsubmit: (e) => {
        e.preventDefault();
        go();
      },
    },
    h(
      'label',
      h('span', 'domain'),
      select(
        { name: 'domain', onchange: () => go() },
        [
          ['', 'any'],
          ...(status?.domains ?? (filters.domain ? [{ name: filters.domain }] : [])).map((d) => [d.name, d.name]),
        ],
        filters.domain,
      ),
    ),
    h('label', h('span', 'source'), select({ name: 'source', onchange: () => go() }, SOURCES, filters.source)),
    h('label', h('span', 'address'), address),
    h('div.buttons', h('button.main', { type: 'submit' }, 'Filter')),
  );
  const go = () => {
    location.hash = build(
      'recipients',
      null,
      Object.fromEntries(FILTERS.map((n) => [n, form.elements[n].value.trim()])),
    );
  };
  return form;
}

function checkForm(session, load) {
  const input = h('input', {
    name: 'check',
    type: 'text',
    placeholder: 'someone@example.org',
    autocomplete: 'off',
    autocapitalize: 'none',
    spellcheck: 'false',
  });
  const out = h('p.total', { role: 'status' });
  const addresses = () => input.value.split(/[\s,]+/).filter((a) => a !== '');
  const check = async (control) => {
    if (addresses().length === 0) return input.focus();
    const answer = await attempt(() => api.post('recipients/check', { addresses: addresses() }), { control });
    return fill(
      out,
      (answer?.recipients ?? []).map((r) =>
        h('span.verdict', mail(r.address), ' is ', MEANS[r.standing] ?? format.text(r.standing), ' '),
      ),
    );
  };
  const change = (deed, done) => async (e) => {
    if (addresses().length === 0) return input.focus();
    await attempt(() => api.post(`recipients/${deed}`, { addresses: addresses() }), {
      done,
      control: e.currentTarget,
      command: twin(['rcpt', deed, ...addresses()]),
    });
    return load();
  };
  const admin = may(session.role, 'recipients');
  return h(
    'form.filters',
    {
      'aria-label': 'One address',
      onsubmit: (e) => {
        e.preventDefault();
        check(null);
      },
    },
    h('label.grow', h('span', 'address'), input),
    h(
      'div.buttons',
      button({
        label: 'Check',
        key: 'check',
        twin: [['rcpt', 'check', 'ADDRESS']],
        run: (e) => check(e.currentTarget),
      }),
      admin
        ? [
            button({
              label: 'Add',
              key: 'add',
              twin: [['rcpt', 'add', 'ADDRESS']],
              run: change('add', 'Known from now on.'),
            }),
            button({
              label: 'Deny',
              key: 'deny',
              look: 'danger',
              twin: [['rcpt', 'deny', 'ADDRESS']],
              run: change('deny', 'Refused from now on.'),
            }),
            button({
              label: 'Flush a domain',
              key: 'flush',
              look: 'danger',
              twin: [['rcpt', 'flush', 'DOMAIN']],
              run: () => flush(load),
            }),
          ]
        : null,
    ),
    out,
  );
}

async function flush(load) {
  const domain = h('input', { name: 'domain', required: true, autocomplete: 'off' });
  const chosen = await ask({
    heading: 'Forget what was learnt of a domain?',
    confirm: 'Forget',
    look: 'danger',
    take: () => domain.value.trim(),
    command: () => twin(['rcpt', 'flush', domain.value.trim() || 'DOMAIN']),
    body: [
      h(
        'p',
        'While its destination is down, mail for recipients that are not learnt again by then is put off with 451. Local and denied ones stay.',
      ),
      field('Domain', domain),
    ],
  });
  if (!chosen) return;
  await attempt(() => api.post('recipients/flush', { domain: chosen }), {
    done: `What was learnt of ${chosen} is forgotten.`,
    command: twin(['rcpt', 'flush', chosen]),
  });
  load();
}

// Out of the logs: who was asked for while a destination was down, and nobody knew them.
async function fetchRefused(box) {
  const page = await api.get('recipients/refused', { limit: LIMIT });
  fill(
    box,
    h(
      'p.total',
      h('b', `${format.counted(page.all, 'recipient')} refused while down`),
      h('code.command', twin(['rcpt', 'refused'])),
    ),
    table(
      'Refused while down',
      ['address', '>times', 'last', 'last sender'],
      page.refused.map((r) =>
        h(
          'tr',
          cell('address', mail(r.address)),
          figure('times', format.count(r.times)),
          cell('last', time(r.last, 'ago')),
          cell('last sender', mail(r.last_sender || '<>')),
        ),
      ),
      { none: 'The logs tell of none.', listing: true },
    ),
  );
}

async function fetchList(box, { filters, after, session, load }) {
  try {
    if (filters.source === 'refused') return await fetchRefused(box);
    const page = await api.get('recipients', { ...filters, after, limit: LIMIT });
    const admin = may(session.role, 'recipients');
    const forget = (address) => async (e) => {
      const done = await attempt(() => api.post('recipients/remove', { addresses: [address] }), {
        control: e.currentTarget,
      });
      if (done) tell('good', ['Forgotten: ', mail(address)], twin(['rcpt', 'remove', address]));
      load();
    };
    fill(
      box,
      table(
        'Recipients',
        ['address', 'source', 'destination', 'last accepted', 'forgotten', ...(admin ? [''] : [])],
        (page.recipients ?? []).map((r) =>
          h(
            'tr',
            cell('address', mail(r.address)),
            cell('source', format.text(r.source)),
            cell('destination', format.text(r.destination)),
            cell('last accepted', time(r.verified_at, 'ago')),
            cell('forgotten', time(r.expires, 'ahead')),
            admin && !r.configured
              ? cell(
                  '',
                  button({
                    label: 'Forget',
                    key: `forget-${r.address}`,
                    look: 'quiet',
                    twin: [['rcpt', 'remove', r.address]],
                    run: forget(r.address),
                  }),
                )
              : admin && cell('', 'configured'),
          ),
        ),
        { none: 'Nobody matches.', listing: true },
      ),
      h(
        'nav.pager',
        { 'aria-label': 'Pages of the list' },
        after ? h('a.button', { href: build('recipients', null, filters) }, '« First') : null,
        page.next
          ? h('a.button', { href: build('recipients', null, { ...filters, after: page.next }) }, 'Next ›')
          : null,
      ),
    );
  } catch (fault) {
    fill(box, h('p.banner.bad', { role: 'alert' }, fault.message));
  }
}
