// What is wrong and who was told: open alerts, roads, silences.

import { cell, chip, field, figure, fill, h, mail, panel, table, time } from '../ui/dom.js';
import { ask, attempt, button } from '../ui/act.js';
import * as api from '../ui/api.js';
import * as format from '../lib/format.js';
import { may } from '../lib/roles.js';
import { twin } from '../lib/twin.js';

export function show(main, { session }) {
  const body = h('div', h('p', 'Looking …'));
  const tested = h('div', { role: 'status' });
  const { role } = session;
  let over = false;
  let timer = 0;
  const load = async () => {
    try {
      const answer = await api.get('alerts');
      if (!over) fill(body, all(answer, role, load));
    } catch (fault) {
      if (!over) fill(body, h('p.banner.bad', { role: 'alert' }, fault.message));
    }
  };
  const test = async (e) => {
    fill(tested, h('p.none', 'Sending one by each road …'));
    const answer = await attempt(() => api.post('alerts/test'), {
      control: e.currentTarget,
      command: twin(['alert', 'test']),
    });
    fill(
      tested,
      answer &&
        panel(
          'Test',
          table(
            'Test',
            ['road', 'result', 'answer'],
            (answer.roads ?? []).map((r) =>
              h(
                'tr',
                cell('road', mail(r.road)),
                cell('result', chip(r.ok ? 'good' : 'fails', r.ok ? 'good' : 'bad')),
                cell('answer', mail(r.said)),
              ),
            ),
            { none: 'No road is configured: nobody is told.' },
          ),
        ),
    );
    load();
  };
  fill(
    main,
    h(
      'div.head',
      h('h1', 'Alerts'),
      h(
        'div.bulk',
        may(role, 'alert-test')
          ? button({ label: 'Send a test', key: 'test', twin: [['alert', 'test']], run: test })
          : null,
        may(role, 'silence')
          ? button({
              label: 'Silence',
              key: 'silence',
              twin: [['alert', 'silence', 'WHAT']],
              run: () => silence('', load),
            })
          : null,
      ),
    ),
    body,
    tested,
  );
  load();
  return {
    update: () => {
      clearTimeout(timer);
      timer = setTimeout(load, 500);
    },
    dispose: () => {
      over = true;
      clearTimeout(timer);
    },
  };
}

async function silence(what, load) {
  const input = h('input', { name: 'what', value: what, required: true, autocomplete: 'off', maxlength: 200 });
  const length = h('input', { name: 'for', value: '2h', required: true, pattern: '\\d+[smhd]', autocomplete: 'off' });
  const take = () => ({ what: input.value.trim(), for: length.value.trim() });
  const chosen = await ask({
    heading: 'Silence alerts?',
    confirm: 'Silence',
    take,
    safe: false,
    command: () => twin(['alert', 'silence', take().what || 'WHAT'], { for: take().for }),
    body: [
      h('p', 'Nothing of it is sent for this long.'),
      field('What', input, 'a kind, a subject, or KIND:SUBJECT'),
      field('For how long', length, '90s, 15m, 2h, 1d'),
    ],
  });
  if (chosen === null) return;
  await attempt(() => api.post('alerts/silence', chosen), {
    done: 'Silenced.',
    command: twin(['alert', 'silence', chosen.what], { for: chosen.for }),
  });
  load();
}

function all(answer, role, load) {
  const list = answer.alerts ?? [];
  const open = list.filter((a) => a.state !== 'closed');
  const act = (path, body, done, words) => (e) =>
    attempt(() => api.post(path, body), { done, control: e.currentTarget, command: twin(...words) }).then(load);
  const deeds = (a) => [
    may(role, 'ack') && !a.acknowledged_by && a.state !== 'closed'
      ? button({
          label: 'Acknowledge',
          key: `ack-${a.id}`,
          twin: [['alert', 'ack', a.id]],
          run: act('alerts/ack', { id: String(a.id) }, 'Acknowledged: it is not repeated.', [['alert', 'ack', a.id]]),
        })
      : null,
    may(role, 'silence') && !a.silenced
      ? button({
          label: 'Silence',
          key: `silence-${a.id}`,
          look: 'quiet',
          twin: [['alert', 'silence', scope(a)], { for: '2h' }],
          run: () => silence(scope(a), load),
        })
      : null,
  ];
  return [
    panel(
      `Open (${open.length})`,
      table(
        'Open alerts',
        ['what', 'severity', 'since', '>times', 'state', ''],
        open.map((a) =>
          h(
            'tr',
            { data: { alert: a.id } },
            cell(
              'what',
              h('b', mail(a.title)),
              a.cause ? h('div.reason', mail(a.cause)) : null,
              a.advice ? h('div.advice', mail(a.advice)) : null,
            ),
            cell('severity', chip(a.severity)),
            cell('since', time(a.since)),
            figure('times', format.count(a.count)),
            cell(
              'state',
              a.acknowledged_by ? ['acknowledged by ', mail(a.acknowledged_by)] : format.text(a.state),
              a.silenced ? ', silenced' : '',
            ),
            cell('', deeds(a)),
          ),
        ),
        { none: 'No alert is open.' },
      ),
    ),
    panel(
      'Roads',
      table(
        'Roads',
        ['road', 'state', '>waiting', 'last sent', 'last answer'],
        (answer.roads ?? []).map((r) =>
          h(
            'tr',
            cell('road', mail(r.road)),
            cell(
              'state',
              r.ok === true ? chip('good', 'good') : r.ok === false ? chip('FAILS', 'bad') : 'not used yet',
            ),
            figure('waiting', format.count(r.waiting)),
            cell('last sent', time(r.last_sent)),
            cell('last answer', mail(r.said)),
          ),
        ),
        { none: 'No road is configured: nobody is told. See alerts in the configuration.' },
      ),
    ),
    (answer.silences ?? []).length > 0
      ? panel(
          'Silences',
          table(
            'Silences',
            ['what', 'until', 'by', ''],
            answer.silences.map((s) =>
              h(
                'tr',
                cell('what', mail(s.what)),
                cell('until', time(s.until)),
                cell('by', mail(s.by)),
                cell(
                  '',
                  may(role, 'silence')
                    ? button({
                        label: 'End',
                        key: `end-${s.what}`,
                        twin: [['alert', 'unsilence', s.what]],
                        run: act('alerts/unsilence', { what: s.what }, 'Ended.', [['alert', 'unsilence', s.what]]),
                      })
                    : null,
                ),
              ),
            ),
          ),
        )
      : null,
  ];
}

const scope = (a) => (a.subject ? `${a.kind}:${a.subject}` : a.kind);
