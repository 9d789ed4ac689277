// What passed, was refused, queued and bounced in a day or a week: what the report by mail says.

import { cell, facts, figure, fill, h, mail, panel, table, time } from '../ui/dom.js';
import * as api from '../ui/api.js';
import * as format from '../lib/format.js';
import { build } from '../lib/route.js';
import { twin } from '../lib/twin.js';

const PERIODS = [
  ['daily', 'The last day'],
  ['weekly', 'The last seven days'],
];

export function show(main, { route }) {
  const period = route.filters.period === 'weekly' ? 'weekly' : 'daily';
  const out = h('div', h('p.none', 'Looking …'));
  fill(
    main,
    h('h1', 'Report'),
    h(
      'nav.pager',
      { 'aria-label': 'Period' },
      PERIODS.map(([name, words]) =>
        h(
          'a.button',
          {
            href: build('report', null, { period: name }),
            'aria-current': name === period ? 'page' : null,
            data: { key: `period-${name}` },
          },
          words,
        ),
      ),
    ),
    out,
  );
  let over = false;
  api.get('report', { period }).then(
    (report) => !over && fill(out, whole(report)),
    (fault) => !over && fill(out, h('p.banner.warn', { role: 'alert' }, fault.message)),
  );
  return {
    dispose: () => {
      over = true;
    },
  };
}

function whole(report) {
  return [
    h(
      'p.total',
      { role: 'status' },
      'From ',
      time(report.from),
      ' to ',
      time(report.to),
      h('code.command', twin(['report', `--${report.period}`])),
    ),
    report.gaps.map((gap) => h('p.banner.warn', { role: 'alert' }, 'Not known: ', mail(gap))),
    panel('Figures', figures(report)),
    panel('Outages', outages(report)),
    panel('Busiest refusals', refusals(report.refusals)),
    panel('In the course of time', course(report.course)),
  ];
}

function figures({ totals, queued_now: now, from, to }) {
  if (totals === null) {
    return h('p.none', 'What passed and was queued is unknown: there is no history of that time.');
  }
  const length = (format.instant(to) - format.instant(from)) / 1000;
  return [
    facts([
      ['Passed straight through', format.counted(totals.passed, 'message')],
      ['Queued', format.counted(totals.queued, 'message')],
      ['Handed over from the queue', format.counted(totals.handed_over, 'recipient')],
      ['Bounced', format.counted(totals.bounced, 'report')],
      ['Given up, time over', format.counted(totals.expired, 'message')],
      ['Refused for good (5xx)', format.counted(totals.refused, 'answer')],
      ['Put off (4xx)', format.counted(totals.put_off, 'answer')],
      ['Clients that connected', format.counted(totals.connections, 'connection')],
      ['Mail that came whole', format.bytes(totals.bytes)],
      ['Queued at most', format.counted(totals.most_waiting, 'message')],
      ['Queued now', format.counted(now, 'message')],
    ]),
    totals.known_seconds * 200 < length * 199
      ? h(
          'p',
          `These figures are of ${((100 * totals.known_seconds) / length).toFixed(1)} % of the time only: the gateway or its web did not run all the while.`,
        )
      : null,
  ];
}

function outages({ outages: list, outages_all: all }) {
  return [
    list.length < all ? h('p', `The latest ${format.count(list.length)} of ${format.count(all)}.`) : null,
    table(
      'Outages',
      ['destination', 'from', 'to', '>length', 'reason'],
      list.map((o) =>
        h(
          'tr',
          cell('destination', h('a', { href: build('destinations', o.destination) }, o.destination)),
          cell('from', o.before ? 'before ' : null, time(o.from)),
          cell('to', o.lasts ? 'it lasts' : time(o.to)),
          figure('length', format.span(o.seconds)),
          cell('reason', mail(o.reason)),
        ),
      ),
      { none: 'None.' },
    ),
  ];
}

function refusals({ busiest, others }) {
  return [
    table(
      'Busiest refusals',
      ['>times', 'reply', 'reason', 'recipient of the latest'],
      busiest.map((r) =>
        h(
          'tr',
          figure('times', format.count(r.times)),
          cell('reply', mail(r.reply)),
          cell('reason', mail(r.reason)),
          cell('recipient of the latest', mail(r.recipient)),
        ),
      ),
      { none: 'None.' },
    ),
    others > 0 ? h('p', `And ${format.count(others)} of more kinds than are counted one by one.`) : null,
  ];
}

const COLUMNS = [
  ['passed', 'passed'],
  ['queued', 'queued'],
  ['handed_over', 'handed over'],
  ['refused', 'refused'],
  ['put_off', 'put off'],
];

function course(rows) {
  return table(
    'In the course of time',
    ['from', ...COLUMNS.map(([, head]) => `>${head}`), '>waiting'],
    rows.map((row) =>
      h(
        'tr',
        cell('from', row.from),
        COLUMNS.map(([name, head]) => figure(head, format.count(row.figures?.[name]))),
        figure('waiting', format.count(row.waiting)),
      ),
    ),
    { none: 'There is no history of that time.' },
  );
}
