// Tests of the pages' pure parts, in the browser itself: window.results is [{name, fault|null}…] when they are done.

import * as format from '/lib/format.js';
import { pieces, visible } from '/lib/marks.js';
import { build, only, parse } from '/lib/route.js';
import { may } from '/lib/roles.js';
import { greatest, spans, sum } from '/lib/series.js';
import { gravity, modeOf, todo } from '/lib/situation.js';
import { quote, twin } from '/lib/twin.js';

const NOW = Date.parse('2026-11-22T20:00:00Z');
const ZONE = 'Europe/Berlin';

const same = (seen, wanted) => {
  const [a, b] = [JSON.stringify(seen), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${a} is not ${b}`);
};

const tests = {
  'what is unknown is a dash, never 0': () => {
    for (const f of [format.count, format.bytes, format.percent, format.rate, format.span, format.text]) {
      same([f(null), f(undefined)], ['–', '–']);
    }
    same(
      [format.clock(null, ZONE, NOW), format.ago(null, NOW), format.ahead(null, NOW), format.counted(null, 'message')],
      ['–', '–', '–', '– messages'],
    );
  },
  'nothing is 0': () =>
    same(
      [format.count(0), format.bytes(0), format.percent(0), format.rate(0), format.span(0)],
      ['0', '0 B', '0 %', '0 /s', '0s'],
    ),
  'numbers are grouped, one is not many': () =>
    same(
      [format.count(1204), format.counted(1, 'message'), format.counted(1204, 'message')],
      ['1,204', '1 message', '1,204 messages'],
    ),
  sizes: () =>
    same([1, 1023, 1024, 1536, 10 * 1024, 38 * 1048576, 1023.9 * 1024].map(format.bytes), [
      '1 B',
      '1023 B',
      '1.0 KiB',
      '1.5 KiB',
      '10 KiB',
      '38 MiB',
      '1.0 MiB',
    ]),
  rates: () =>
    same([1234, 12, 3.44, 0.5, 0.01].map(format.rate), ['1,234 /s', '12 /s', '3.4 /s', '30 /min', '0.6 /min']),
  'spans have two units at most': () =>
    same([59, 60, 3661, 7500, 86400, 93784, 1e6].map(format.span), [
      '59s',
      '1m',
      '1h 1m',
      '2h 5m',
      '1d',
      '1d 2h',
      '11d 13h',
    ]),
  'lengths as gatewayctl takes them': () =>
    same([0, null, 300, 4800, 86400, 90].map(format.length), ['', '', '5m', '80m', '1d', '90s']),
  instants: () =>
    same(
      [
        format.instant(5),
        format.instant('2026-11-22T20:00:00Z'),
        format.instant(null),
        format.instant(''),
        format.instant('soon'),
      ],
      [5000, NOW, null, null, null],
    ),
  "the clock is the zone's": () =>
    same(
      [NOW, NOW - 3600e3, NOW + 3 * 86400e3, NOW + 20 * 86400e3, NOW - 400 * 86400e3].map((t) =>
        format.clock(t, ZONE, NOW),
      ),
      ['21:00', '20:00', 'Wed 21:00', '12 Dec 21:00', '18 Oct 2025 22:00'],
    ),
  'a line of a log has seconds': () =>
    same(
      [format.clock(NOW + 33000, ZONE, NOW, true), format.clock(NOW - 86400e3, ZONE, NOW, true)],
      ['21:00:33', 'Sat 21:00:00'],
    ),
  'midnight is a new day where the admin is': () =>
    same(format.clock(Date.parse('2026-11-22T23:30:00Z'), ZONE, NOW), 'Mon 00:30'),
  'the exact time says both': () =>
    same(format.exact(NOW + 33000, ZONE), '2026-11-22 21:00:33 Europe/Berlin (2026-11-22T20:00:33Z)'),
  'time left': () =>
    same(
      [
        format.eta([
          [0, 100],
          [10000, 50],
        ]),
        format.eta([[0, 100]]),
        format.eta([
          [0, 50],
          [1000, 60],
        ]),
        format.eta([
          [0, 9],
          [5, 0],
        ]),
      ],
      [10, null, null, 0],
    ),

  'controls are marks': () =>
    same(visible('a\u0000b\u001b[31mc\rd\u007fe\u009bf'), 'a⟨NUL⟩b⟨ESC⟩[31mc⟨CR⟩d⟨DEL⟩e⟨U+009B⟩f'),
  'bidi is marked': () => {
    const all = '\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069';
    same(
      pieces(all).map((p) => p.mark),
      Array(12).fill(true),
    );
    same(pieces('a\u202eb'), [
      { text: 'a', mark: false },
      { text: 'RLO', title: 'U+202E', mark: true },
      { text: 'b', mark: false },
    ]);
  },
  'what shows nothing is marked': () => {
    for (const c of [
      '\u00ad',
      '\u200b',
      '\u200d',
      '\u2028',
      '\u2060',
      '\ufeff',
      '\u3164',
      '\u{e0041}',
      '\ud800',
      '\ufffe',
      '\u{1ffff}',
      '\ufdd0',
    ])
      same([c, pieces(c)[0].mark], [c, true]);
  },
  'letters of all people stay': () => {
    for (const text of ['grüße', 'שלום', '日本', 'مرحبا', '<script>alert(1)</script>', '📧', 'a & b "c"'])
      same(pieces(text), [{ text, mark: false }]);
  },
  'lines stay where they may': () =>
    same(
      [visible('a\n\tb'), pieces('a\n\tb', { layout: true }).length, pieces('a\rb', { layout: true }).length],
      ['a⟨LF⟩⟨TAB⟩b', 1, 3],
    ),
  'nothing is no text': () => same([pieces(null), pieces(undefined), pieces('')], [[], [], []]),

  'an address says filters in order and nothing empty': () =>
    same(
      [
        build('queue', null, { state: 'held', domain: 'a&b', older: '', x: null }),
        build('message', 'A/B'),
        build('queue'),
      ],
      ['#/queue?domain=a%26b&state=held', '#/message/A%2FB', '#/queue'],
    ),
  'and is read back': () => {
    const filters = { sender: '"<a?b#c>"@x', recipient: '@é.test', state: 'held' };
    same(parse(build('queue', 'X/Y ?', filters)), {
      page: 'queue',
      id: 'X/Y ?',
      filters: { recipient: '@é.test', sender: '"<a?b#c>"@x', state: 'held' },
    });
  },
  'odd addresses do no harm': () =>
    same(
      [parse(''), parse('#/'), parse('#/queue/%E0%A4?a=%ZZ'), parse(null)].map((r) => [r.page, r.id]),
      [
        ['', null],
        ['', null],
        ['queue', '%E0%A4'],
        ['', null],
      ],
    ),
  'filters that nobody knows are dropped': () =>
    same(only({ state: 'held', limit: '9', domain: '', __proto__: { sender: 'x' } }, ['state', 'domain']), {
      state: 'held',
    }),

  'a shell gets what was meant': () =>
    same(['office', '<>', "it's", '', 'a b', '$(reboot)', 'a\nb', "`x`\u202e'", 'é'].map(quote), [
      'office',
      "'<>'",
      "'it'\\''s'",
      "''",
      "'a b'",
      "'$(reboot)'",
      "$'a\\x0Ab'",
      "$'`x`\\xE2\\x80\\xAE\\''",
      "$'\\xC3\\xA9'",
    ]),
  'a word that begins like an option': () =>
    same(twin(['queue', 'list'], { sender: '--yes' }), 'gatewayctl queue list --sender=--yes'),
  twins: () =>
    same(
      [twin(['queue', 'retry', '3F2A']), twin(['queue', 'delete'], { domain: 'x.test', state: '', yes: true })],
      ['gatewayctl queue retry 3F2A', 'gatewayctl queue delete --domain x.test --yes'],
    ),

  roles: () => {
    same(
      ['retry', 'hold', 'pause', 'ack', 'delete', 'bounce', 'content', 'restart'].map((d) => may('viewer', d)),
      Array(8).fill(false),
    );
    same(
      ['retry', 'hold', 'pause', 'ack', 'delete', 'bounce', 'content', 'restart'].map((d) => may('operator', d)),
      [true, true, true, true, false, false, false, false],
    );
    same(
      [
        may('admin', 'delete'),
        may('admin', 'whatever'),
        may('operator', 'whatever'),
        may('nobody', 'check'),
        may(undefined, 'retry'),
      ],
      [true, true, false, false, false],
    );
  },

  'sums leave out what is not known': () =>
    same(
      [
        sum([
          [1, null],
          [2, 5],
          [3, 2],
          [4, null],
        ]),
        sum([]),
      ],
      [
        { last: 2, most: 5, at: 2 },
        { last: null, most: null, at: null },
      ],
    ),
  'the greatest, and the rest as one': () => {
    const s = (name, v) => ({
      name,
      points: [
        [1, v],
        [2, null],
      ],
    });
    same(
      greatest([s('a', 1), s('b', 9), s('c', 3), s('d', 2)], 3, 'others').map((x) => [
        x.name,
        x.points[0][1],
        x.points[1][1],
      ]),
      [
        ['b', 9, null],
        ['c', 3, null],
        ['others (2)', 3, null],
      ],
    );
  },
  'a strip says where nothing is known': () =>
    same(
      spans(
        [
          [20, 1],
          [30, 1],
          [40, 0],
          [70, null],
        ],
        10,
        0,
        100,
      ),
      [
        { state: null, from: 0, to: 20 },
        { state: 'up', from: 20, to: 40 },
        { state: 'down', from: 40, to: 50 },
        { state: null, from: 50, to: 100 },
      ],
    ),

  'the worst mode is shown': () =>
    same(
      [modeOf({ destinations: [{ mode: 'proxy' }, { mode: "pass thro'" }] }), modeOf({}), modeOf(null)],
      ["pass thro'", null, null],
    ),
  gravity: () => {
    const well = {
      daemons: [{ state: 'running' }],
      destinations: [{ state: 'up' }],
      domains: [],
      quotas: [],
      queue: { held: 0, frozen: 0 },
      spool: { accepting: true },
    };
    same(
      [
        gravity(null),
        gravity(well),
        gravity({ ...well, destinations: [{ state: 'down' }] }),
        gravity({ ...well, destinations: [{ state: null }] }),
        gravity({ ...well, spool: { accepting: false } }),
        gravity({ ...well, daemons: [] }),
        gravity({ ...well, queue: { held: 1 } }),
      ],
      ['none', 'good', 'bad', 'warn', 'bad', 'bad', 'warn'],
    );
    same(todo(well), []);
  },
  'what to do, the worst first': () =>
    same(
      todo({
        daemons: [{ name: 'qmgr', state: 'starting' }],
        destinations: [{ name: 'a/b', state: 'down' }],
        queue: { held: 2, frozen: 1 },
      }).map((t) => t.href),
      ['#/system', '#/destinations/a%2Fb', '#/queue?state=held', '#/queue?state=frozen'],
    ),
};

window.results = Object.entries(tests).map(([name, test]) => {
  try {
    test();
    return { name, fault: null };
  } catch (fault) {
    return { name, fault: String(fault) };
  }
});
