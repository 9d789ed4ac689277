// What stands on every page: mode, disk, whether it is live, and the way to the other pages.

import { h, fill, mail, time } from './dom.js';
import * as theme from './theme.js';
import * as format from '../lib/format.js';
import { modeOf } from '../lib/situation.js';
import { help } from './keys.js';
import { PAGES } from '../lib/pages.js';

export class Shell {
  constructor(session, { logout }) {
    this.mode = h('span.mode', format.DASH);
    this.disk = h('span.disk', format.DASH);
    this.live = h('span.live', { role: 'status' }, 'connecting');
    this.banner = h('div');
    this.alarm = h('div.alarm', { role: 'status' });
    this.main = h('main', { id: 'main', tabindex: -1 });
    this.links = PAGES.filter((p) => !p.hidden).map((p) =>
      h(
        'a',
        { href: `#/${p.name}`, 'aria-keyshortcuts': `g ${p.key}`, data: { page: p.name } },
        p.title,
        h('span.badge'),
      ),
    );
    const menu = h(
      'button.menu',
      { type: 'button', 'aria-expanded': 'false', 'aria-controls': 'nav', onclick: () => this.open() },
      'Menu',
    );
    this.menu = menu;
    this.theme = h('button.quiet.theme', { type: 'button', onclick: () => this.nameTheme(theme.next()) });
    this.nameTheme(theme.chosen());
    this.nav = h(
      'nav',
      { id: 'nav', 'aria-label': 'Pages', onclick: () => this.open(false) },
      this.links,
      h(
        'div.who',
        h('span', { title: 'name and role' }, `${session.name} (${session.role})`),
        this.theme,
        h('button.quiet', { type: 'button', onclick: help, 'aria-keyshortcuts': '?' }, 'Keys'),
        h('button.quiet', { type: 'button', onclick: logout }, 'Log out'),
      ),
    );
    this.element = h(
      'div.shell',
      h(
        'a.skip',
        {
          href: '#main',
          onclick: (event) => {
            event.preventDefault();
            this.main.focus();
          },
        },
        'Skip to content',
      ),
      h(
        'header.top',
        menu,
        h('a.brand', { href: '#/overview' }, 'Holdfast', h('span.host', session.hostname ?? '')),
        h(
          'dl.gauges',
          h('div', h('dt', 'mode'), h('dd', this.mode)),
          h('div', h('dt', 'disk'), h('dd', this.disk)),
          h('div', h('dt', 'view'), h('dd', this.live)),
        ),
      ),
      this.nav,
      h('div.body', this.alarm, this.banner, this.main),
    );
  }

  open(open = this.menu.getAttribute('aria-expanded') !== 'true') {
    this.menu.setAttribute('aria-expanded', String(open));
    this.nav.classList.toggle('open', open);
  }

  nameTheme(name) {
    fill(this.theme, { system: 'Theme: system', light: 'Theme: light', dark: 'Theme: dark' }[name]);
  }

  mark(name) {
    for (const link of this.links) {
      if (link.dataset.page === (name === 'message' ? 'queue' : name)) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
  }

  put(content) {
    fill(this.main, content);
    scrollTo(0, 0);
  }

  update(status) {
    this.heardAt = Date.now();
    const mode = modeOf(status);
    this.mode.className = `mode ${{ "pass thro'": 'bad', queue: 'warn', greylist: 'good', proxy: 'good' }[mode] ?? ''}`;
    fill(this.mode, format.text(mode));
    this.showDisk(status.spool);
    this.showAlarm(status.warnings ?? []);
    this.badge('destinations', (status.destinations ?? []).filter((d) => d.state === 'down').length);
    this.badge('filters', (status.filters ?? []).filter((f) => f.failing).length);
    this.badge('alerts', (status.alerts ?? []).filter((a) => !a.acknowledged).length);
    if (!this.element.classList.contains('lost')) this.showLive();
  }

  showDisk(spool) {
    this.disk.className = `disk ${!spool ? '' : !spool.accepting ? 'bad' : spool.free_percent < 15 ? 'warn' : 'good'}`;
    if (!spool) return fill(this.disk, format.DASH);
    const full = spool.accepting ? '' : ', new mail refused';
    const meter = h('meter', {
      min: 0,
      max: 100,
      low: 15,
      optimum: 100,
      value: spool.free_percent,
      'aria-label': 'disk free',
    });
    return fill(
      this.disk,
      meter,
      ` ${format.percent(spool.free_percent)} free`,
      h('span.wide', ` (${format.bytes(spool.free_bytes)})`),
      full,
    );
  }

  // Filters that are passed over or fail, on every page.
  showAlarm(warnings) {
    const words = warnings.join('\n');
    if (this.alarm.dataset.words === words) return;
    this.alarm.dataset.words = words;
    fill(
      this.alarm,
      warnings.map((warning) =>
        h(
          'p.banner.bad',
          format.timed(warning).map((part) => (part.at ? time(part.at) : mail(part.words))),
          ' ',
          h('a', { href: '#/filters' }, 'Filters'),
        ),
      ),
    );
  }

  badge(name, n) {
    const badge = this.links.find((l) => l.dataset.page === name).lastChild;
    badge.textContent = n > 0 ? n : '';
    badge.className = n > 0 ? 'badge on' : 'badge';
  }

  showLive() {
    this.live.className = 'live good';
    if (this.live.textContent !== 'live') fill(this.live, 'live');
  }

  lost() {
    this.element.classList.add('lost');
    this.live.className = 'live bad';
    fill(this.live, 'NOT LIVE');
    fill(
      this.banner,
      h(
        'p.banner.bad',
        { role: 'alert' },
        h('strong', 'The connection to Holdfast is lost.'),
        ' What you see is as of ',
        this.heardAt ? time(new Date(this.heardAt).toISOString()) : 'before',
        ' and may be wrong. Trying again by itself. In a shell: ',
        h('code', 'gatewayctl status'),
      ),
    );
  }

  back() {
    this.element.classList.remove('lost');
    fill(this.banner);
    this.showLive();
  }
}
