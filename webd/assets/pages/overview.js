// The situation in one glance: the sentence, what to do, figures, graphs, and each destination's health.

import { cell, chip, figure, fill, h, mail, panel, select, table, time } from '../ui/dom.js';
import { button, attempt } from '../ui/act.js';
import * as api from '../ui/api.js';
import { Graph } from '../ui/graph.js';
import { history } from '../ui/history.js';
import { strip } from '../ui/strip.js';
import * as format from '../lib/format.js';
import { may } from '../lib/roles.js';
import { build } from '../lib/route.js';
import { RANGES, greatest } from '../lib/series.js';
import { gravity, todo } from '../lib/situation.js';
import { twin } from '../lib/twin.js';

const DAY = 86400;
const REDRAW_MS = 10000;

export function show(main, { route, session, status }) {
  const sentence = h('p.sentence', { role: 'status' }, 'Looking …');
  const work = h('div');
  const tiles = h('div.tiles');
  const strips = h('div');
  const depth = new Graph({ heading: 'Queued messages by domain', stacked: true });
  const rates = new Graph({ heading: 'Messages a second', show: format.rate });
  const range = RANGES[route.filters.range] ? route.filters.range : '6h';
  const chooser = select(
    {
      'aria-label': 'time shown',
      onchange: (e) => {
        location.hash = build('overview', null, { range: e.target.value });
      },
    },
    Object.keys(RANGES).map((r) => [r, `last ${r}`]),
    range,
  );
  const histories = new Map();

  fill(
    main,
    h('h1.hidden', 'Overview'),
    sentence,
    work,
    tiles,
    panel('Destinations', strips),
    h('section.panel', h('div.head', h('h2', 'History'), chooser), h('div.graphs', depth.element, rates.element)),
  );

  const update = (now) => {
    sentence.className = `sentence ${gravity(now)}`;
    const words = now.sentence ?? now.situation ?? format.DASH;
    if (sentence.dataset.words !== words) {
      sentence.dataset.words = words;
      fill(sentence, format.timed(words).map((part) => (part.at ? time(part.at) : mail(part.words))));
    }
    fill(work, doings(now, session));
    fill(tiles, figures(now));
    fill(strips, health(now, histories, session));
  };
  const learn = async () => {
    const to = Math.floor(Date.now() / 1000);
    for (const series of await history(['state.*'], to - DAY, to))
      histories.set(series.series.slice('state.'.length), series);
    if (status()) fill(strips, health(status(), histories, session));
  };
  const draw = () => drawGraphs(depth, rates, RANGES[range]);
  draw();
  const timer = setInterval(() => {
    draw();
    learn();
    if (status()) fill(tiles, figures(status()));
  }, REDRAW_MS);
  learn();
  return {
    update,
    dispose: () => {
      clearInterval(timer);
      depth.dispose();
      rates.dispose();
    },
  };
}

function doings(status, session) {
  const list = todo(status);
  const open = (status.alerts ?? []).filter((a) => !a.acknowledged);
  if (list.length === 0 && open.length === 0) return null;
  return h(
    'ul.todo',
    list.map((t) => h('li', h('a', { href: t.href }, mail(t.what)), h('code.command', twin(...t.words)))),
    open.map((a) =>
      h(
        'li',
        chip(a.severity ?? 'warning'),
        ' ',
        h('a', { href: '#/alerts' }, mail(a.title)),
        ' since ',
        time(a.since),
        may(session.role, 'ack')
          ? [
              ' ',
              button({
                label: 'Acknowledge',
                key: `ack-${a.id}`,
                twin: [['alert', 'ack', a.id]],
                run: (e) =>
                  attempt(() => api.post('alerts/ack', { id: String(a.id) }), {
                    done: 'Acknowledged.',
                    control: e.currentTarget,
                  }),
              }),
            ]
          : null,
      ),
    ),
  );
}

function tile(label, value, { look = '', href, note = null }) {
  return h(
    `a.tile${look ? `.${look}` : ''}`,
    { href, data: { key: `tile-${label}` } },
    h('span.label', label),
    h('span.value', value),
    h('span.note', note ?? '\u00a0'),
  );
}

// The server sends a status when something else changes: since then the oldest has grown older.
function oldest({ queue, came }) {
  const then = queue?.oldest_seconds ?? null;
  return then === null ? null : then + (Date.now() - came) / 1000;
}

function figures(status) {
  const all = status.destinations ?? [];
  const down = all.filter((d) => d.state === 'down');
  const queue = status.queue;
  const spool = status.spool;
  return [
    tile('destinations down', `${down.length} of ${all.length}`, {
      look: down.length > 0 ? 'bad' : 'good',
      href: '#/destinations',
      note: down.map((d) => d.name).join(', ') || 'all answer',
    }),
    tile('queued', format.count(queue?.messages), {
      href: '#/queue',
      note: queue ? `${format.bytes(queue.bytes)}, ${format.count(queue.active)} active` : null,
    }),
    tile('oldest', format.span(oldest(status)), {
      href: '#/queue',
      note: queue?.first_expiry ? ['expires ', time(queue.first_expiry)] : 'in the queue',
    }),
    tile('held', format.count(queue?.held), {
      look: queue?.held > 0 ? 'warn' : '',
      href: '#/queue?state=held',
      note: 'by hand or filter',
    }),
    tile('frozen', format.count(queue?.frozen), {
      look: queue?.frozen > 0 ? 'cold' : '',
      href: '#/queue?state=frozen',
      note: 'bounces nobody takes',
    }),
    tile('spool free', spool ? format.bytes(spool.free_bytes) : format.DASH, {
      look: spool?.accepting === false ? 'bad' : '',
      href: '#/system',
      note: spool
        ? `${format.percent(spool.free_percent)}, ${spool.accepting ? 'accepting' : 'REFUSING NEW MAIL'}`
        : null,
    }),
  ];
}

const ORDER = ['down', 'draining', 'paused'];
const rank = (d) => (ORDER.includes(d.state) ? ORDER.indexOf(d.state) : ORDER.length);
const worst = (list) => [...list].sort((a, b) => rank(a) - rank(b));

function health(status, histories, session) {
  const to = Math.floor(Date.now() / 1000);
  return table(
    'Destinations',
    [
      'destination',
      'state',
      'mode',
      'since',
      '>queued',
      'kept until',
      'last 24 hours',
      ...(may(session.role, 'probe') ? [''] : []),
    ],
    worst(status.destinations ?? []).map((d) =>
      h(
        'tr',
        { data: { name: d.name } },
        cell(
          'destination',
          h('a.row', { href: build('destinations', d.name), data: { key: `dest-${d.name}` } }, d.name),
        ),
        cell(
          'state',
          chip(d.state),
          d.confirmed === false ? h('small', ' not confirmed') : null,
          d.reason ? h('div.reason', mail(d.reason)) : null,
        ),
        cell('mode', h('span.tight', format.text(d.mode))),
        cell('since', time(d.since)),
        figure(
          'queued',
          d.queued > 0
            ? h(
                'a',
                { href: build('queue', null, { destination: d.name }), data: { key: `queued-${d.name}` } },
                format.count(d.queued),
              )
            : format.count(d.queued),
        ),
        cell('kept until', time(d.first_expiry)),
        cell('last 24 hours', strip(d.name, histories.get(d.name), { from: to - DAY, to })),
        may(session.role, 'probe')
          ? cell(
              '',
              button({
                label: 'Probe now',
                key: `probe-${d.name}`,
                twin: [['dest', 'probe', d.name]],
                run: (e) =>
                  attempt(() => api.post(`destinations/${api.word(d.name)}/probe`), {
                    done: `${d.name} is being looked at.`,
                    control: e.currentTarget,
                  }),
              }),
            )
          : null,
      ),
    ),
    { none: 'No destination is configured: all mail is refused.' },
  );
}

async function drawGraphs(depth, rates, seconds) {
  const to = Math.floor(Date.now() / 1000);
  const from = to - seconds;
  const [queued, passed] = await Promise.all([
    history(['queue.domain.*'], from, to),
    history(['rate.proxied', 'rate.kept', 'rate.refused', 'rate.sent'], from, to),
  ]);
  const named = (list, cut) => list.map((s) => ({ name: s.series.slice(cut), points: s.points }));
  depth.draw({ series: greatest(named(queued, 'queue.domain.'.length), 6, 'others'), from, to });
  rates.draw({ series: named(passed, 'rate.'.length), from, to });
}
