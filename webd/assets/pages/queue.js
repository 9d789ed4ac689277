// What is kept: filters in the address, an age histogram, and deeds on what is marked or on all that match.

import { cell, chip, figure, fill, h, mail, select, time, title } from '../ui/dom.js';
import { button } from '../ui/act.js';
import { buttons } from '../ui/deeds.js';
import * as api from '../ui/api.js';
import * as format from '../lib/format.js';
import { may } from '../lib/roles.js';
import { build, only } from '../lib/route.js';
import { twin } from '../lib/twin.js';

const FILTERS = ['destination', 'domain', 'sender', 'recipient', 'state', 'older', 'younger', 'held_by'];
const LIMIT = 50;
const STATES = ['active', 'deferred', 'held', 'frozen'];
const ON_ALL = ['retry', 'hold', 'release', 'thaw', 'extend', 'bounce', 'delete'];
const SETTLE_MS = 1000;
const SEARCH_MS = 3000;

export function show(main, { route, session, status }) {
  const page = new Queue(main, route, session, status);
  page.load();
  return page;
}

class Queue {
  constructor(main, route, session, status) {
    this.session = session;
    this.filters = only(route.filters, FILTERS);
    this.after = route.filters.after ?? null;
    this.marked = new Set();
    this.messages = [];
    this.form = this.makeForm(status());
    this.ages = h('div.ages', h('p.none', 'Looking …'));
    this.bulk = h('div.bulk', { role: 'group', 'aria-label': 'What to do' });
    this.list = h('div', { 'aria-live': 'off' });
    this.total = h('p.total', { role: 'status' });
    this.pager = h('nav.pager', { 'aria-label': 'Pages of the list' });
    fill(main, h('h1', 'Queue'), this.form, this.ages, this.total, this.bulk, this.list, this.pager);
  }

  filtered() {
    return Object.keys(this.filters).length > 0;
  }

  // What a deed is done to: what is marked, else all that match.
  target() {
    if (this.marked.size > 0) return { ids: [...this.marked] };
    return this.filtered() ? { filter: this.filters } : { all: true };
  }

  makeForm(status) {
    const names = (list) => [['', 'any'], ...(list ?? []).map((x) => [x.name, x.name])];
    const text = (name, label, hint) =>
      h(
        'label',
        h('span', label),
        h('input', {
          name,
          type: 'search',
          value: this.filters[name] ?? '',
          placeholder: hint,
          autocomplete: 'off',
          autocapitalize: 'none',
          spellcheck: 'false',
        }),
      );
    const choice = (name, label, options) => {
      const wanted = this.filters[name];
      const all = wanted && !options.some(([v]) => v === wanted) ? [...options, [wanted, wanted]] : options;
      return h('label', h('span', label), select({ name, onchange: () => this.go() }, all, wanted));
    };
    const more = h(
      'button.quiet.more',
      {
        type: 'button',
        'aria-expanded': 'false',
        onclick: () => more.setAttribute('aria-expanded', String(!form.classList.toggle('shut'))),
      },
      this.filtered()
        ? `Filters: ${Object.entries(this.filters)
            .map(([n, v]) => `${n} ${v}`)
            .join(', ')}`
        : 'Filters',
    );
    const form = h(
      'form.filters.shut',
      {
        role: 'search',
        'aria-label': 'Filter the queue',
        onsubmit: (e) => {
          e.preventDefault();
          this.go();
        },
      },
      more,
      choice('destination', 'destination', names(status?.destinations)),
      choice('domain', 'domain', names(status?.domains)),
      text('sender', 'sender', 'a@b, @b or <>'),
      text('recipient', 'recipient', 'a@b or @b'),
      choice('state', 'state', [['', 'any'], ...STATES.map((s) => [s, s])]),
      text('held_by', 'held because of', 'filter:'),
      text('older', 'older than', '2h'),
      text('younger', 'younger than', '1d'),
      h(
        'div.buttons',
        h('button.main', { type: 'submit' }, 'Filter'),
        this.filtered() ? h('a.button', { href: '#/queue' }, 'Clear') : null,
      ),
    );
    return form;
  }

  go() {
    const values = {};
    for (const name of FILTERS) values[name] = this.form.elements[name].value.trim();
    location.hash = build('queue', null, values);
  }

  async load() {
    const mine = (this.turn = (this.turn ?? 0) + 1);
    this.loading = true;
    this.loadAges();
    try {
      const page = await this.fetchPage(mine);
      if (mine === this.turn) this.accept(page);
    } catch (fault) {
      if (mine === this.turn) fill(this.list, h('p.banner.bad', { role: 'alert' }, fault.message));
    }
    if (mine === this.turn) this.loading = false;
  }

  // To count a great queue takes seconds: the list does not wait for it, and no second count is begun beside it.
  async loadAges() {
    this.stale = this.counting;
    if (this.counting) return;
    this.counting = true;
    const ages = await api.get('queue/ages', this.filters).catch(() => ({}));
    this.counting = false;
    this.showAges(ages.ages ?? []);
    if (this.stale) this.loadAges();
  }

  accept(page) {
    this.messages = page.messages;
    this.page = page;
    const here = new Set(this.messages.map((m) => m.queue_id));
    for (const id of [...this.marked]) if (!here.has(id)) this.marked.delete(id);
    this.showList();
  }

  // In a great queue a search stops after a while and says where to go on: it is gone on with until the page is full. A reader
  // who sees nothing yet sees what was found so far.
  async fetchPage(mine) {
    const until = performance.now() + SEARCH_MS;
    const page = await api.get('queue', { ...this.filters, limit: LIMIT, after: this.after });
    const empty = !this.page;
    while (page.messages.length < LIMIT && page.next && performance.now() < until && mine === this.turn) {
      if (empty && page.messages.length !== this.page?.messages.length)
        this.accept({ ...page, messages: [...page.messages], searching: true });
      const more = await api.get('queue', { ...this.filters, limit: LIMIT - page.messages.length, after: page.next });
      page.messages.push(...more.messages);
      page.next = more.next;
    }
    if (page.total === null && !page.next && !this.after) page.total = page.messages.length;
    return page;
  }

  // The queue has changed: not more than once a second, and never under a dialog.
  queue() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (document.querySelector('dialog') || this.loading ? this.queue() : this.load()), SETTLE_MS);
  }

  dispose() {
    clearTimeout(this.timer);
    this.turn += 1;
  }

  showAges(ages) {
    const most = Math.max(1, ...ages.map((a) => a.messages));
    if (ages.every((a) => a.messages === 0)) return fill(this.ages);
    const bars = ages.map((a) => {
      const edge = format.span(a.to ?? a.from);
      const sign = a.to === null ? '>' : '≤';
      const whole = `${format.span(a.from)} to ${a.to === null ? 'any age' : format.span(a.to)} old: ${format.counted(a.messages, 'message')}, ${format.bytes(a.bytes)}`;
      const bar = h('span.bar', { 'aria-hidden': 'true' });
      bar.style.height = `${a.messages > 0 ? Math.max(6, Math.round((a.messages / most) * 100)) : 0}%`;
      const ends = { older: format.length(a.from), younger: format.length(a.to) };
      const here =
        this.filtered() && ends.older === (this.filters.older ?? '') && ends.younger === (this.filters.younger ?? '');
      const next = here ? { older: '', younger: '' } : ends;
      return h(
        'a.age',
        {
          href: build('queue', null, { ...this.filters, ...next }),
          data: { key: `age-${a.from}` },
          'aria-current': here ? 'true' : null,
          title: whole,
        },
        h('span.space', bar),
        h('b', format.count(a.messages)),
        h('span.hidden', ' messages '),
        h(
          'span.name',
          h('span.wide', `${sign} ${edge}`),
          h('span.narrow', `${a.to === null ? sign : ''}${edge.split(' ')[0]}`),
        ),
      );
    });
    return fill(this.ages, h('h2.hidden', 'By age; choosing one filters'), bars);
  }

  showList() {
    const rows = this.messages.map((m) => this.row(m));
    const whole = h('input', {
      type: 'checkbox',
      'aria-label': 'mark all on this page',
      data: { key: 'mark-all' },
      checked: this.messages.length > 0 && this.marked.size === this.messages.length,
      onchange: (e) => {
        this.markAll(e.target.checked);
      },
    });
    if (rows.length === 0) {
      fill(
        this.list,
        h(
          'p.none',
          this.page.searching
            ? 'None so far. Looking …'
            : this.page.next
              ? 'None so far: go on with Next.'
              : this.filtered() || this.after
                ? 'No message matches.'
                : 'The queue is empty.',
        ),
      );
    } else {
      fill(
        this.list,
        h(
          'div.scroll.listing',
          { tabindex: 0, role: 'region', 'aria-label': 'Messages', data: { key: 'list' } },
          h(
            'table.queue.blocks',
            h('caption.hidden', 'Messages, oldest first'),
            h(
              'thead',
              h(
                'tr',
                h('th', { scope: 'col' }, whole),
                ['id', 'state', 'arrived', 'next try', 'expires', '>size', 'sender', 'recipients', 'why'].map((name) =>
                  h(name.startsWith('>') ? 'th.figure' : 'th', { scope: 'col' }, name.replace('>', '')),
                ),
              ),
            ),
            h('tbody', rows),
          ),
        ),
      );
    }
    this.showBulk();
    this.showPager();
  }

  row(m) {
    const id = m.queue_id;
    const box = h('input', {
      type: 'checkbox',
      'aria-label': `mark ${id}`,
      data: { key: `mark-${id}` },
      checked: this.marked.has(id),
      onchange: (e) => {
        this.mark(id, e.target.checked);
      },
    });
    const [first, ...more] = m.recipients ?? [];
    const why = m.reason || first?.delay_reason;
    const waits = !m.next_attempt && m.queue_name === 'deferred';
    return h(
      'tr',
      { data: { id } },
      h('td.mark-cell', box),
      cell('id', h('a.row', { href: build('message', id), data: { key: `row-${id}` } }, id)),
      cell('state', chip(m.queue_name)),
      cell('arrived', time(m.arrival_time)),
      cell('next try', waits ? 'when up' : time(m.next_attempt, 'ahead')),
      cell('expires', time(m.expires)),
      figure('size', format.bytes(m.message_size)),
      cell('sender', h('span.cut', { title: title(m.sender) }, mail(m.sender))),
      cell(
        'recipients',
        h('span.cut', { title: title((m.recipients ?? []).map((r) => r.address).join(', ')) }, mail(first?.address)),
        more.length > 0 ? ` +${more.length}` : null,
      ),
      cell('why', h('span.cut.reason', { title: title(why) }, mail(why))),
    );
  }

  mark(id, on) {
    if (on) this.marked.add(id);
    else this.marked.delete(id);
    this.showBulk();
  }

  markAll(on) {
    this.marked = new Set(on ? this.messages.map((m) => m.queue_id) : []);
    this.showList();
  }

  showBulk() {
    const n = this.marked.size;
    const total = this.page?.total;
    fill(
      this.total,
      n > 0
        ? h('b', `${format.counted(n, 'message')} marked`)
        : [
            h('b', format.counted(total, 'message')),
            this.filtered() ? ' match' : ' queued',
            this.page?.searching ? '. Looking …' : null,
          ],
      h('code.command', twin(['queue', 'list'], this.filters)),
    );
    const suited = this.messages.length === 0 ? [] : ON_ALL.filter((deed) => this.suits(deed));
    fill(
      this.bulk,
      may(this.session.role, 'retry') && suited.length > 0
        ? [
            h(
              'span.scope',
              n > 0 ? `${format.count(n)} marked:` : this.filtered() ? 'all that match:' : 'the whole queue:',
            ),
            buttons(this.session, suited, {
              target: () => this.target(),
              after: () => {
                this.marked.clear();
                this.load();
              },
            }),
            n > 0 ? button({ label: 'Unmark', key: 'unmark', look: 'quiet', run: () => this.markAll(false) }) : null,
          ]
        : null,
    );
  }

  // Nothing held in sight: no Release; the whole queue may have any.
  suits(deed) {
    if (deed !== 'release' && deed !== 'thaw') return true;
    const state = deed === 'release' ? 'held' : 'frozen';
    if (this.marked.size > 0) return this.messages.some((m) => this.marked.has(m.queue_id) && m.queue_name === state);
    return !this.filters.state || this.filters.state === state;
  }

  showPager() {
    const first = this.after
      ? h('a.button', { href: build('queue', null, this.filters), data: { key: 'first' } }, '« First')
      : null;
    const next = this.page?.next
      ? h(
          'a.button',
          { href: build('queue', null, { ...this.filters, after: this.page.next }), data: { key: 'next' } },
          'Next ›',
        )
      : null;
    const back = this.after ? button({ label: '‹ Back', key: 'back', run: () => history.back() }) : null;
    fill(this.pager, first, back, next);
  }
}
