// Domains and their settings in force, each with a word on whether it is the default. One of them: #/domains/NAME.

import { cell, facts, figure, fill, h, mail, panel, table, time } from '../ui/dom.js';
import * as api from '../ui/api.js';
import * as format from '../lib/format.js';
import { build } from '../lib/route.js';
import { twin } from '../lib/twin.js';

export function show(main, { route, status }) {
  const body = h('div', h('p', 'Looking …'));
  const sentence = h('p.sentence');
  let shown = null;
  const say = (now) => shown && tellCoverage(sentence, shown, now);
  fill(
    main,
    route.id
      ? [h('p.crumb', h('a', { href: '#/domains' }, 'Domains'), ' / '), h('h1', mail(route.id))]
      : h('h1', 'Domains'),
    body,
  );
  let over = false;
  const asked = route.id
    ? api.get(`domains/${api.word(route.id)}`).then((d) => {
        shown = d;
        say(status());
        return [sentence, ...one(d)];
      })
    : api.get('domains').then((a) => all(a.domains ?? []));
  asked.then(
    (content) => !over && fill(body, content),
    (fault) => !over && fill(body, h('p.banner.bad', { role: 'alert' }, fault.message)),
  );
  return {
    update: say,
    dispose: () => {
      over = true;
    },
  };
}

const truth = (value, yes = 'yes') => (value === null || value === undefined ? format.DASH : value ? yes : 'no');

export function covered(value) {
  return h(
    `span.covered${value === 0 ? '.bad' : value < 80 ? '.warn' : ''}`,
    value === null || value === undefined
      ? format.DASH
      : [
          h('meter', { min: 0, max: 100, low: 80, high: 95, optimum: 100, value, 'aria-label': 'covered' }),
          ` ${format.percent(value)}`,
        ],
  );
}

function all(list) {
  return [
    h('p.total', format.counted(list.length, 'domain'), h('code.command', twin(['domain', 'list']))),
    table(
      'Domains',
      ['domain', 'destination', 'mode', '>local', '>learnt', 'covered', 'catch-all'],
      list.map((d) =>
        h(
          'tr',
          cell('domain', h('a.row', { href: build('domains', d.name) }, d.name)),
          cell('destination', h('a', { href: build('destinations', d.destination) }, d.destination)),
          cell('mode', format.text(d.mode)),
          figure('local', format.count((d.local_recipients ?? []).length)),
          figure(
            'learnt',
            h('a', { href: build('recipients', null, { domain: d.name, source: 'learnt' }) }, format.count(d.learnt)),
          ),
          cell('covered', covered(d.coverage_percent)),
          cell('catch-all', truth(d.catch_all, 'yes: nothing is learnt')),
        ),
      ),
      { none: 'No domain is configured: all mail is refused.', listing: true },
    ),
  ];
}

function tellCoverage(sentence, d, status) {
  const share = d.coverage_percent;
  const known = share !== null && share !== undefined;
  const down = (status?.destinations ?? []).some((to) => to.name === d.destination && to.state === 'down');
  const when = down ? `${d.destination} is down` : `If ${d.destination} went down now`;
  sentence.className = `sentence ${share === 0 ? 'warn' : 'good'}`;
  fill(
    sentence,
    known
      ? `${when}${down ? ':' : ','} ${share} % of the last week's recipients of ${d.name} are covered.`
      : `How much of ${d.name}'s mail ${down ? `is kept while ${d.destination} is down` : `would be kept if ${d.destination} went down now`} is not known yet.`,
  );
}

function one(d) {
  const share = d.coverage_percent;
  return [
    h(
      'p.total',
      h('a', { href: build('queue', null, { domain: d.name }) }, 'its queued mail'),
      ' · ',
      h('a', { href: build('recipients', null, { domain: d.name }) }, 'its recipients'),
      h('code.command', twin(['domain', 'show', d.name])),
    ),
    panel(
      'What is known',
      facts([
        ['destination', h('a', { href: build('destinations', d.destination) }, d.destination)],
        ['mode', format.text(d.mode)],
        ['local', mail((d.local_recipients ?? []).join(', '))],
        ['learnt', format.count(d.learnt)],
        ['covered', covered(share)],
        ['catch-all', truth(d.catch_all, 'yes: nothing is learnt')],
        ['tested', time(d.catch_all_tested)],
      ]),
    ),
    panel(
      'Settings in force',
      table(
        'Settings',
        ['setting', 'value', 'from'],
        (d.settings ?? []).map((s) =>
          h(
            'tr',
            cell('setting', s.name),
            cell('value', mail(format.text(s.value))),
            cell('from', h('span.tight', s.default ? 'default' : h('b', 'configured'))),
          ),
        ),
        { none: 'None of its own.' },
      ),
    ),
  ];
}
