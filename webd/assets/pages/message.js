// One message: envelope, each recipient's last reply, what comes next, headers, its lines in the logs; the content by
// permission only.

import { cell, chip, facts, fill, h, mail, panel, table, time } from '../ui/dom.js';
import { attempt, button } from '../ui/act.js';
import { buttons } from '../ui/deeds.js';
import { lines } from '../ui/lines.js';
import * as api from '../ui/api.js';
import * as format from '../lib/format.js';
import { may } from '../lib/roles.js';
import { build } from '../lib/route.js';

const SETTLE_MS = 1000;

export function show(main, { route, session }) {
  const id = route.id ?? '';
  const body = h('div', h('p', 'Looking …'));
  const headers = h('div', h('p.none', 'Looking …'));
  const log = h('div', h('p.none', 'Looking …'));
  const content = h('div');
  let over = false;
  let timer = 0;

  fill(
    main,
    h('p.crumb', h('a', { href: '#/queue' }, 'Queue'), ' / '),
    h('h1', 'Message ', h('code', mail(id))),
    body,
    panel('Headers', headers),
    panel('In the logs', log),
    may(session.role, 'content') ? panel('Content', content) : null,
  );
  fill(
    content,
    h('p.none', "Looking at a message's content is written to the audit log."),
    button({
      label: 'Show content',
      key: 'content',
      twin: [['queue', 'cat', id]],
      run: (e) => showContent(content, id, e.currentTarget),
    }),
  );

  const load = async () => {
    try {
      const message = await api.get(`queue/${api.word(id)}`);
      if (!over) fill(body, envelope(message, session, load));
    } catch (fault) {
      if (over) return;
      fill(
        body,
        h(
          `p.banner.${fault.status === 404 ? 'warn' : 'bad'}`,
          { role: 'alert' },
          fault.status === 404
            ? 'It is not in the queue any more: delivered, bounced or deleted. The logs below tell which.'
            : mail(fault.message),
        ),
      );
    }
  };
  const rest = () => {
    api.get(`queue/${api.word(id)}/headers`).then(
      (a) => !over && fill(headers, headerTable(a)),
      (fault) => !over && fill(headers, h('p.none', fault.message)),
    );
    api.get('trace', { what: id }).then(
      (a) => !over && fill(log, lines(a.lines ?? [], { ids: false })),
      (fault) => !over && fill(log, h('p.none', fault.message)),
    );
  };
  load();
  rest();
  return {
    queue: () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        load();
        rest();
      }, SETTLE_MS);
    },
    dispose: () => {
      over = true;
      clearTimeout(timer);
    },
  };
}

function messageLink(id) {
  return h('a', { href: build('queue', id) }, h('code', id));
}

function copyLine(copy) {
  return h('div', messageLink(copy.queue_id), ' to ', mail(copy.address), copy.queued ? ', queued' : ', not in the queue any more');
}

function envelope(m, session, after) {
  const state = m.queue_name;
  const deeds = [
    'retry',
    ...(state === 'held' ? ['release'] : state === 'frozen' ? ['thaw'] : ['hold']),
    'extend',
    'bounce',
    'delete',
  ];
  const waits = !m.next_attempt && state === 'deferred';
  const client = m.client_address ? [mail(m.client_name || 'unknown'), ' [', mail(m.client_address), ']'] : format.DASH;
  return [
    h('div.bulk', buttons(session, deeds, { target: () => ({ ids: [m.queue_id] }), after })),
    h(
      'div.columns',
      facts([
        ['state', chip(state), m.reason ? h('div.reason', mail(m.reason)) : null],
        ['destination', h('a', { href: build('destinations', m.destination) }, m.destination)],
        ['arrived', time(m.arrival_time), ' (', time(m.arrival_time, 'ago'), ')'],
        ['attempts', format.count(m.attempts)],
        ['last attempt', time(m.last_attempt)],
        ['next attempt', waits ? 'when the destination is back' : time(m.next_attempt)],
        [
          state === 'frozen' ? 'deleted by itself' : 'expires',
          state === 'held' ? 'not while it is held' : time(m.expires),
        ],
      ]),
      facts([
        ['sender', m.sender === 'MAILER-DAEMON' ? '<> (a bounce)' : mail(m.sender)],
        ['size', format.bytes(m.message_size)],
        ['client', client],
        ['HELO', mail(m.helo)],
        ['protocol', mail(m.protocol)],
        ['Message-ID', mail(m.message_id)],
        m.unfiltered === undefined
          ? null
          : ['filters', m.unfiltered ? 'skipped while its destination was down' : 'passed'],
        m.copy_of ? ['copy of', messageLink(m.copy_of)] : null,
        m.copies?.length ? ['copies', m.copies.map(copyLine)] : null,
      ]),
    ),
    panel(
      'Recipients',
      table(
        'Recipients',
        ['recipient', 'status', 'known', 'last reply'],
        (m.recipients ?? []).map((r) =>
          h(
            'tr',
            cell('recipient', mail(r.address)),
            cell('status', chip(r.status)),
            cell('known', r.known === true ? 'yes' : r.known === false ? 'no' : format.DASH),
            cell('last reply', mail(r.delay_reason)),
          ),
        ),
      ),
    ),
  ];
}

function headerTable(answer) {
  const list = answer.headers ?? [];
  return [
    h(
      'dl.headers',
      list.map(({ name, value }) => h('div', h('dt', mail(name)), h('dd', mail(value, { layout: true })))),
    ),
    list.length === 0 ? h('p.none', 'It has none.') : null,
    answer.truncated ? h('p.none', 'There are more; only the first are shown.') : null,
  ];
}

async function showContent(box, id, control) {
  const answer = await attempt(() => api.get(`queue/${api.word(id)}/content`), { control });
  if (answer === null) return;
  fill(
    box,
    h('pre.content', { tabindex: 0, 'aria-label': 'content of the message' }, mail(answer.content, { layout: true })),
    answer.truncated ? h('p.none', 'Only its beginning is shown. All of it: gatewayctl queue cat') : null,
  );
}
