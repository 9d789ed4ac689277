// The way in: who is logged in, which page is shown, and what live events do to it.

import * as api from './ui/api.js';
import * as live from './ui/live.js';
import * as theme from './ui/theme.js';
import { fill, h } from './ui/dom.js';
import { Shell } from './ui/shell.js';
import { install } from './ui/keys.js';
import { PAGES } from './lib/pages.js';
import { parse } from './lib/route.js';
import { login } from './pages/login.js';

const SOON_MS = 8000; // what an answer that costs nothing may take

const app = document.getElementById('app');
let session = null;
let shell = null;
let page = null; // {update?(status), queue?(counters), dispose?()}
let status = null;
let stopLive = () => {};
let turn = 0;

theme.apply();
api.whenEnded(leave);

async function begin() {
  try {
    enter(await api.get('session'));
  } catch (fault) {
    if (fault.status === 401) return;
    fill(
      app,
      h(
        'main.alone',
        h('h1', 'Holdfast'),
        h('p.banner.bad', { role: 'alert' }, fault.message),
        h('button.main', { type: 'button', onclick: begin }, 'Try again'),
      ),
    );
  }
}

function enter(who) {
  session = who;
  api.use(session);
  shell = new Shell(session, {
    logout: async () => {
      await api.post('logout').catch(() => {});
      leave();
    },
  });
  fill(app, shell.element);
  stopLive();
  stopLive = live.watch({
    status: take,
    queue: (counters) => page?.queue?.(counters),
    lost: () => shell.lost(),
    back: () => {
      shell.back();
      api.get('status').then(take, () => {});
      page?.queue?.(status?.queue);
    },
    alive: () =>
      api.get('session', {}, SOON_MS).then(
        () => true,
        () => false,
      ),
    ended: leave,
  });
  api.get('status').then(take, () => {});
  show();
}

function take(fresh) {
  status = { ...fresh, came: Date.now() };
  shell?.update(status);
  page?.update?.(status);
}

function leave() {
  if (session === null && app.querySelector('.login')) return;
  session = null;
  stopLive();
  stopLive = () => {};
  page?.dispose?.();
  page = null;
  api.use(null);
  document.title = 'Log in – Holdfast';
  fill(app, login(enter));
  app.querySelector('input')?.focus();
}

async function show() {
  if (session === null) return;
  const place = location.hash;
  const route = parse(place);
  const found = PAGES.find((p) => p.name === route.page) ?? PAGES[0];
  const mine = ++turn;
  document.title = `${found.title} – ${session.hostname ?? 'Holdfast'}`;
  shell.mark(found.name);
  try {
    const module = await import(`./pages/${found.name}.js`);
    if (mine !== turn) return;
    page?.dispose?.();
    const main = h('div.page');
    page = module.show(main, { route, session, status: () => status });
    main.dataset.place = place; // by which a test knows it from the page before
    shell.put(main);
    if (status) page?.update?.(status);
  } catch (fault) {
    console.error(fault);
    shell.put(h('p.banner.bad', { role: 'alert' }, `This page could not be shown: ${fault.message}`));
  }
}

addEventListener('hashchange', show);
install(() => session !== null);
begin();
