// Destinations: state and reason, servers, drain progress, and what can be asked of them. One of them: #/destinations/NAME.

import { cell, chip, facts, field, figure, fill, h, mail, panel, select, table, time } from '../ui/dom.js';
import { ask, attempt, button } from '../ui/act.js';
import { history } from '../ui/history.js';
import { strip } from '../ui/strip.js';
import * as api from '../ui/api.js';
import * as format from '../lib/format.js';
import { may } from '../lib/roles.js';
import { build } from '../lib/route.js';
import { twin } from '../lib/twin.js';

const DAY = 86400;
const WINDOW_MS = 60000; // an estimate looks back so far

export function show(main, { route, session, status }) {
  return new Destinations(main, route.id, session, status);
}

class Destinations {
  constructor(main, name, session) {
    this.name = name;
    this.session = session;
    this.list = null;
    this.samples = new Map(); // name: [[ms, queued]…] while it drains
    this.most = new Map();
    this.states = new Map();
    this.tests = new Map();
    this.body = h('div', h('p', 'Looking …'));
    this.events = h('div');
    fill(
      main,
      name
        ? [h('p.crumb', h('a', { href: '#/destinations' }, 'Destinations'), ' / '), h('h1', mail(name))]
        : h('h1', 'Destinations'),
      this.body,
      name ? panel('What has happened', this.events) : null,
    );
    this.load();
    this.learn();
  }

  async load() {
    const mine = (this.turn = (this.turn ?? 0) + 1);
    try {
      const answer = this.name
        ? [await api.get(`destinations/${api.word(this.name)}`)]
        : ((await api.get('destinations')).destinations ?? []);
      if (mine !== this.turn || this.over) return;
      this.list = answer;
      this.draw();
    } catch (fault) {
      if (!this.over) fill(this.body, h('p.banner.bad', { role: 'alert' }, fault.message));
    }
  }

  async learn() {
    const to = Math.floor(Date.now() / 1000);
    const series = await history([this.name ? `state.${this.name}` : 'state.*'], to - DAY, to);
    for (const s of series) this.states.set(s.series.slice('state.'.length), s);
    if (this.name) {
      const told = await api.get(`destinations/${api.word(this.name)}/history`).catch(() => ({}));
      if (!this.over) fill(this.events, happened(told.events ?? []));
    }
    if (this.list && !this.over) this.draw();
  }

  update(status) {
    for (const d of status.destinations ?? []) this.sample(d);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.load(), 300);
  }

  sample(d) {
    if (d.state !== 'draining' || d.queued === null) {
      this.samples.delete(d.name);
      this.most.delete(d.name);
      return;
    }
    const now = Date.now();
    const list = (this.samples.get(d.name) ?? []).filter(([ms]) => now - ms < WINDOW_MS);
    this.samples.set(d.name, [...list, [now, d.queued]]);
    this.most.set(d.name, Math.max(this.most.get(d.name) ?? 0, d.queued));
  }

  dispose() {
    this.over = true;
    clearTimeout(this.timer);
  }

  draw() {
    fill(
      this.body,
      this.list.map((d) => this.card(d)),
      this.list.length === 0 ? h('p.none', 'No destination is configured: all mail is refused.') : null,
    );
  }

  card(d) {
    const to = Math.floor(Date.now() / 1000);
    const heading = h(
      'h2',
      this.name
        ? 'State'
        : h('a.row', { href: build('destinations', d.name), data: { key: `open-${d.name}` } }, d.name),
      ' ',
      chip(d.state),
    );
    return h(
      'section.panel',
      { data: { destination: d.name } },
      h('div.head', heading, h('div.bulk', this.buttons(d))),
      d.reason ? h('p.reason', mail(d.reason)) : null,
      this.progress(d),
      this.findings(d),
      facts([
        ['mode', format.text(d.mode)],
        ['since', time(d.since), ' (', time(d.since, 'ago'), ')'],
        [
          'queued',
          d.queued > 0
            ? h(
                'a',
                { href: build('queue', null, { destination: d.name }), data: { key: `queued-${d.name}` } },
                format.count(d.queued),
              )
            : format.count(d.queued),
        ],
        ['last probe', time(d.last_probe, 'ago')],
        ['domains', (d.domains ?? []).join(', ') || format.DASH],
        [
          'catch-all',
          d.catch_all === null || d.catch_all === undefined
            ? format.DASH
            : d.catch_all
              ? 'yes: nothing is learnt'
              : 'no',
        ],
        ['offers', mail(d.capabilities)],
        d.paused_by
          ? [
              'paused',
              'by ',
              mail(d.paused_by),
              d.paused_reason ? [': ', mail(d.paused_reason)] : null,
              d.paused_until ? [', until ', time(d.paused_until)] : ', until it is resumed',
            ]
          : null,
        ['last 24 hours', strip(d.name, this.states.get(d.name), { from: to - DAY, to })],
      ]),
      table(
        `Servers of ${d.name}`,
        ['server', 'state', 'since', 'addresses', 'reason'],
        (d.servers ?? []).map((s) =>
          h(
            'tr',
            cell('server', s.server),
            cell('state', chip(s.state)),
            cell('since', time(s.since)),
            cell('addresses', (s.addresses ?? []).join(' ') || format.DASH),
            cell('reason', mail(s.reason)),
          ),
        ),
      ),
    );
  }

  progress(d) {
    if (d.state !== 'draining') return null;
    const most = this.most.get(d.name);
    const left = format.eta(this.samples.get(d.name) ?? []);
    return h(
      'p.progress',
      h('progress', {
        max: most || 1,
        value: most ? most - (d.queued ?? most) : 0,
        'aria-label': `handing over to ${d.name}`,
      }),
      ` handing over: ${format.count(d.queued)} left, ready ${left === null ? format.DASH : `in about ${format.span(left)}`}`,
    );
  }

  buttons(d) {
    const path = `destinations/${api.word(d.name)}`;
    const run = (deed, done) => (e) =>
      attempt(() => api.post(`${path}/${deed}`), {
        done,
        control: e.currentTarget,
        command: twin(['dest', deed, d.name]),
      }).then(() => this.load());
    const { role } = this.session;
    return [
      may(role, 'probe')
        ? button({
            label: 'Probe',
            key: `probe-${d.name}`,
            twin: [['dest', 'probe', d.name]],
            run: run('probe', `${d.name} is being looked at.`),
          })
        : null,
      may(role, 'pause') && d.state !== 'paused'
        ? button({
            label: 'Pause',
            key: `pause-${d.name}`,
            twin: [['dest', 'pause', d.name]],
            run: () => this.pause(d),
          })
        : null,
      may(role, 'resume') && d.state === 'paused'
        ? button({
            label: 'Resume',
            key: `resume-${d.name}`,
            look: 'main',
            twin: [['dest', 'resume', d.name]],
            run: run('resume', `${d.name} is resumed.`),
          })
        : null,
      may(role, 'test')
        ? button({
            label: 'Test',
            key: `test-${d.name}`,
            twin: [['dest', 'test', d.name]],
            run: (e) => this.test(d, e.currentTarget),
          })
        : null,
      may(role, 'force')
        ? button({
            label: 'Force',
            key: `force-${d.name}`,
            look: 'danger',
            twin: [['dest', 'force', d.name, d.state === 'up' ? 'down' : 'up']],
            run: () => this.force(d),
          })
        : null,
    ];
  }

  // Asks its servers; nothing is delivered.
  async test(d, control) {
    const command = twin(['dest', 'test', d.name]);
    const answer = await attempt(() => api.post(`destinations/${api.word(d.name)}/test`), { control, command });
    if (answer) this.tests.set(d.name, answer);
    this.load();
  }

  findings(d) {
    const tested = this.tests.get(d.name);
    if (!tested) return null;
    return [
      h('p', { role: 'status' }, h('b', tested.good ? 'Tested: nothing fails.' : 'Tested: something fails.')),
      table(
        `Test of ${d.name}`,
        ['server', 'step', 'result', 'words'],
        tested.findings.map((f) =>
          h('tr', cell('server', f.server), cell('step', f.step), cell('result', chip(f.result)), cell('words', mail(f.text))),
        ),
      ),
    ];
  }

  async force(d) {
    const state = select(
      { name: 'state' },
      [
        ['up', 'up, although probes fail'],
        ['down', 'down, although they pass'],
        ['auto', 'auto: as the probes say'],
      ],
      (d.reason ?? '').startsWith('forced ') ? 'auto' : d.state === 'up' ? 'down' : 'up',
    );
    const chosen = await ask({
      heading: `Force ${d.name}?`,
      confirm: 'Force',
      look: 'danger',
      take: () => ({ state: state.value }),
      command: () => twin(['dest', 'force', d.name, state.value]),
      body: [
        h('p', 'Forced up, mail is sent to it whatever the probes find; forced down, it is kept. It stays so until auto.'),
        field('State', state),
      ],
    });
    if (chosen === null) return;
    await attempt(() => api.post(`destinations/${api.word(d.name)}/force`, chosen), {
      done: chosen.state === 'auto' ? `${d.name} is what the probes say.` : `${d.name} is forced ${chosen.state}.`,
      command: twin(['dest', 'force', d.name, chosen.state]),
    });
    this.load();
  }

  async pause(d) {
    const length = h('input', { name: 'for', value: '1h', pattern: '(\\d+[smhd])?', autocomplete: 'off' });
    const reason = h('input', { name: 'reason', maxlength: 200, autocomplete: 'off' });
    const options = () => ({ for: length.value.trim() || null, reason: reason.value.trim() || null });
    const chosen = await ask({
      heading: `Pause ${d.name}?`,
      confirm: 'Pause',
      safe: false,
      take: options,
      command: () => twin(['dest', 'pause', d.name], options()),
      body: [
        h('p', 'It is sent nothing; mail for known recipients is kept.'),
        field('For how long', length, '90s, 15m, 4h, 4d; empty: until it is resumed'),
        field('Reason', reason, 'shown to whoever looks'),
      ],
    });
    if (chosen === null) return;
    await attempt(() => api.post(`destinations/${api.word(d.name)}/pause`, chosen), {
      done: `${d.name} is paused.`,
      command: twin(['dest', 'pause', d.name], chosen),
    });
    this.load();
  }
}

function happened(events) {
  return table(
    'What has happened',
    ['time', 'state', '>lasted', 'reason'],
    [...events].reverse().map((e, i, all) => {
      const [begun, ended] = [format.instant(e.time), i > 0 ? format.instant(all[i - 1].time) : Date.now()];
      return h(
        'tr',
        cell('time', time(e.time)),
        cell('state', chip(e.state)),
        figure('lasted', format.span((ended - begun) / 1000)),
        cell('reason', mail(e.reason)),
      );
    }),
    { none: 'No change is on record.' },
  );
}
