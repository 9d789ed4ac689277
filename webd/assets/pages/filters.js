// What stops unwanted mail: filters, lists, greylisting; whether they are asked; and what they have had held.

import { cell, chip, facts, field, figure, fill, h, mail, panel, select, table, time } from '../ui/dom.js';
import { ask, attempt, button } from '../ui/act.js';
import * as api from '../ui/api.js';
import * as format from '../lib/format.js';
import { may } from '../lib/roles.js';
import { build } from '../lib/route.js';
import { twin } from '../lib/twin.js';

export function show(main, { session, status }) {
  return new Filters(main, session, status);
}

class Filters {
  constructor(main, session, status) {
    this.role = session.role;
    this.status = status;
    this.filters = h('div', h('p', 'Looking …'));
    this.tested = h('div', { role: 'status' });
    this.quarantine = h('div', h('p', 'Looking …'));
    this.rules = h('div');
    fill(
      main,
      h('div.head', h('h1', 'Filters'), h('div.bulk', this.buttons())),
      this.filters,
      this.tested,
      panel('Quarantine', this.quarantine),
      this.rules,
    );
    this.load();
    this.loadQuarantine();
  }

  buttons() {
    return [
      may(this.role, 'filter-test')
        ? button({
            label: 'Test all',
            key: 'test-all',
            twin: [['filter', 'test']],
            run: (e) => this.test(null, e.currentTarget),
          })
        : null,
      may(this.role, 'bypass')
        ? button({
            label: 'Bypass',
            key: 'bypass',
            look: 'danger',
            twin: [['filter', 'bypass', 'on'], { for: '2h' }],
            run: () => this.bypass(),
          })
        : null,
    ];
  }

  async load() {
    try {
      const told = await api.get('filters');
      if (this.over) return;
      this.told = told;
      this.draw();
    } catch (fault) {
      if (!this.over) fill(this.filters, h('p.banner.bad', { role: 'alert' }, fault.message));
    }
  }

  async loadQuarantine() {
    try {
      const told = await api.get('quarantine');
      if (!this.over) this.drawQuarantine(told);
    } catch (fault) {
      if (!this.over) fill(this.quarantine, h('p.banner.bad', { role: 'alert' }, fault.message));
    }
  }

  // Only what this page shows: a queue that moves is no reason to look again.
  update(status) {
    const news = JSON.stringify([status.filters, status.bypass]);
    const held = status.queue?.held;
    if (news !== this.news) this.load();
    if (held !== this.held && this.news !== undefined) this.loadQuarantine();
    this.news = news;
    this.held = held;
  }

  dispose() {
    this.over = true;
  }

  draw() {
    const { filters, bypass, counts } = this.told;
    fill(
      this.filters,
      panel('Filters', this.filterTable(filters), counts ? this.counted(counts) : null),
      panel('Who is not asked', this.bypassTable(bypass)),
    );
    fill(this.rules, rules(this.told));
  }

  filterTable(filters) {
    return table(
      'Filters',
      ['filter', 'state', 'since', 'asked about', 'if it fails', 'milter', 'reason', ''],
      filters.map((f) =>
        h(
          'tr',
          { data: { filter: f.name } },
          cell('filter', h('b', f.name)),
          cell('state', f.failing === null ? format.DASH : f.failing ? chip('failing', 'bad') : chip('no failure known', 'good')),
          cell('since', time(f.since)),
          cell('asked about', f.domains.length > 0 ? f.domains.join(' ') : 'all domains'),
          cell('if it fails', f.on_failure),
          cell('milter', mail(f.milter)),
          cell('reason', mail(f.reason)),
          cell(
            '',
            may(this.role, 'filter-test')
              ? button({
                  label: 'Test',
                  key: `test-${f.name}`,
                  twin: [['filter', 'test', f.name]],
                  run: (e) => this.test(f.name, e.currentTarget),
                })
              : null,
          ),
        ),
      ),
      { none: 'No filter is configured.' },
    );
  }

  counted(counts) {
    return h(
      'p.none',
      `Since smtpd's start: ${format.count(counts.refused)} refused, ${format.count(counts.discarded)} discarded, ` +
        `${format.count(counts.held)} held, ${format.count(counts.unfiltered)} taken without asking.`,
    );
  }

  bypassTable(bypass) {
    const unscanned = this.status()?.queue?.unfiltered ?? 0;
    return [
      unscanned > 0
        ? h(
            'p',
            h('b', `${format.counted(unscanned, 'message')} unscanned`),
            ' in the queue. In a shell: ',
            h('code.command', twin(['queue', 'list'], { unfiltered: true })),
          )
        : null,
      table(
        'Who is not asked',
        ['domain', 'filters are', 'because', 'since', 'until', ''],
        bypass.map((b) =>
          h(
            'tr',
            { data: { bypass: b.domain } },
            cell('domain', b.domain),
            cell('filters are', b.on ? chip('bypassed', 'bad') : chip('asked in any case', 'warn')),
            cell('because', b.by_hand ? ['by hand: ', mail(b.by)] : `${b.destination} is down`),
            cell('since', time(b.since)),
            cell('until', b.by_hand ? (b.until ? time(b.until) : 'it is ended') : 'it is back'),
            cell(
              '',
              b.by_hand && may(this.role, 'bypass')
                ? button({
                    label: 'End',
                    key: `end-${b.domain}`,
                    look: 'main',
                    twin: [['filter', 'bypass', 'auto'], { domain: b.domain }],
                    run: (e) => this.say({ word: 'auto', domain: b.domain }, e.currentTarget),
                  })
                : null,
            ),
          ),
        ),
        { none: 'All are asked, as configured.' },
      ),
    ];
  }

  async say(body, control = null) {
    const { word, ...options } = body;
    await attempt(() => api.post('filters/bypass', body), {
      control,
      done: { on: 'Filters are bypassed.', off: 'Filters are asked in any case.', auto: 'Filters are asked as configured.' }[word],
      command: twin(['filter', 'bypass', word], { for: options.for, dest: options.destination, domain: options.domain }),
    });
    this.load();
  }

  async bypass() {
    const word = select(
      { name: 'word' },
      [
        ['on', 'on: take mail without asking'],
        ['off', 'off: ask them even in an outage'],
        ['auto', 'auto: as configured'],
      ],
      'on',
    );
    const length = h('input', { name: 'for', value: '2h', pattern: '(\\d+[smhd])?', autocomplete: 'off' });
    const domain = h('input', { name: 'domain', autocomplete: 'off', spellcheck: 'false' });
    const options = () => ({
      for: word.value === 'auto' ? null : length.value.trim() || null,
      domain: domain.value.trim() || null,
    });
    const chosen = await ask({
      heading: 'Bypass filters?',
      confirm: 'Do it',
      look: 'danger',
      take: () => ({ word: word.value, ...options() }),
      command: () => twin(['filter', 'bypass', word.value], options()),
      body: [
        h('p', 'Mail that is taken without asking filters, lists and greylisting is marked, and may hold anything.'),
        field('Bypass', word),
        field('For how long', length, '30m, 2h, 1d; empty: until it is ended'),
        field('Domain', domain, 'empty: all domains'),
      ],
    });
    if (chosen !== null) await this.say(chosen);
  }

  async test(name, control) {
    const words = name ? ['filter', 'test', name] : ['filter', 'test'];
    fill(this.tested, h('p.none', 'Asking …'));
    const answer = await attempt(() => api.post('filters/test', { filter: name }), { control, command: twin(words) });
    if (this.over) return;
    fill(
      this.tested,
      answer &&
        panel(
          'Test with a harmless message',
          table(
            'Test',
            ['filter', 'says', 'words', 'changes'],
            answer.filters.map((f) =>
              h(
                'tr',
                cell('filter', f.filter),
                cell('says', chip(f.verdict, f.accepts ? 'good' : 'bad')),
                cell('words', mail(f.reason)),
                cell('changes', f.changes.length > 0 ? f.changes.map((c) => h('div', mail(c))) : 'none'),
              ),
            ),
          ),
        ),
    );
    this.load();
  }

  drawQuarantine(told) {
    fill(
      this.quarantine,
      table(
        'Quarantine by reason',
        ['reason', '>messages', '>size', 'oldest', 'newest', ''],
        told.reasons.map((r) =>
          h(
            'tr',
            { data: { reason: r.reason } },
            cell('reason', h('a', { href: build('queue', null, { state: 'held', held_by: r.reason }), data: { key: `see-${r.reason}` } }, mail(r.reason))),
            figure('messages', format.count(r.messages)),
            figure('size', format.bytes(r.bytes)),
            cell('oldest', time(r.oldest, 'ago')),
            cell('newest', time(r.newest, 'ago')),
            cell('', h('div.bulk', this.quarantineButtons(r))),
          ),
        ),
        { none: 'Nothing is in quarantine.' },
      ),
      told.complete ? null : h('p.none', 'There may be more: the queue was too long to be looked through.'),
    );
  }

  quarantineButtons(r) {
    const make = (label, deed, options, needs, look) =>
      may(this.role, needs)
        ? button({
            label,
            key: `${label}-${r.reason}`,
            look,
            twin: [['quarantine', deed], { reason: r.reason, ...options }],
            run: () => this.settle(label, deed, r, options, look),
          })
        : null;
    return [
      make('Release', 'release', {}, 'release', ''),
      make('Release and allow', 'release', { allow: true }, 'allow', ''),
      make('Delete', 'delete', { yes: true }, 'delete', 'danger'),
    ];
  }

  // Counted and asked for first.
  async settle(label, deed, r, options, look) {
    const command = twin(['quarantine', deed], { reason: r.reason, ...options });
    const body = { reason: r.reason, allow: options.allow === true };
    const trial = await attempt(() => api.post(`quarantine/${deed}`, { ...body, dry_run: true }), { command });
    if (trial === null) return;
    const many = format.counted(trial.changed, 'message');
    const chosen = await ask({
      heading: `${label} ${many}?`,
      confirm: label,
      look: look || 'main',
      command: () => command,
      body: [
        h('p', h('b', many), ' held for: ', mail(r.reason)),
        options.allow
          ? h(
              'p',
              'These senders, which anybody may claim to be, pass lists, greylisting and quarantine from now on: ',
              mail(trial.allowed.join(', ')),
            )
          : null,
        deed === 'delete' ? h('p', 'They are thrown away, and nobody is told.') : null,
      ],
    });
    if (chosen === null) return;
    const done = deed === 'delete' ? 'deleted; nobody was told' : options.allow ? 'released, and their senders allowed' : 'released';
    await attempt(() => api.post(`quarantine/${deed}`, body), {
      command,
      done: (a) => `${format.counted(a.changed, 'message')} ${done}.`,
    });
    this.loadQuarantine();
  }
}

function rules({ lists, dnsbl, greylist, while_down: whileDown }) {
  const amount = (c) => {
    const files = c.files.length > 0 ? ` and ${format.counted(c.files.length, 'file')}` : '';
    return c.entries + c.files.length === 0 ? format.DASH : `${format.count(c.entries)} here${files}`;
  };
  return [
    panel(
      'Lists',
      table(
        'Lists',
        ['list', 'allow', 'block'],
        lists.map((l) => h('tr', cell('list', l.list), cell('allow', amount(l.allow)), cell('block', amount(l.block)))),
        { compact: true },
      ),
      h('p.none', 'Who is in which: ', h('code.command', twin(['list', 'check', 'someone@example.org']))),
    ),
    panel(
      'Greylisting, DNS block lists, outages',
      facts([
        ['greylisted domains', greylist.domains.length > 0 ? greylist.domains.join(', ') : 'none'],
        ['put off for', format.span(greylist.delay)],
        ['passes for', format.span(greylist.lifetime)],
        [
          'DNS block lists',
          dnsbl.zones.length > 0
            ? `${dnsbl.zones.map((z) => `${z.zone} (${z.weight})`).join(', ')}; refused from ${dnsbl.threshold} on`
            : 'none',
        ],
        ['while down', whileDown === 'bypass' ? 'nobody is asked (bypass)' : 'all are asked (run)'],
      ]),
      h('p.none', 'Who is put off: ', h('code.command', twin(['greylist', 'list']))),
    ),
  ];
}
