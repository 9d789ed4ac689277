// The one word of the header, and what an admin should do next, from `status`. Pure.

// The worst of the destinations' modes; null when nothing is known.
export function modeOf(status) {
  if (status?.mode) return status.mode;
  const modes = (status?.destinations ?? []).map((d) => d.mode);
  for (const mode of ["pass thro'", 'queue', 'greylist', 'proxy']) if (modes.includes(mode)) return mode;
  return null;
}

const named = (list, state) => (list ?? []).filter((d) => d.state === state);

// good, warn or bad: how the sentence looks.
export function gravity(status) {
  if (!status) return 'none';
  const daemons = status.daemons ?? [];
  if (daemons.length === 0 || daemons.some((d) => d.state !== 'running')) return 'bad';
  if (named(status.destinations, 'down').length > 0 || status.spool?.accepting === false) return 'bad';
  const troubled =
    (status.destinations ?? []).some((d) => d.state !== 'up') || (status.quotas ?? []).some((q) => q.full);
  const loud = (status.warnings ?? []).length > 0;
  const uncovered = (status.domains ?? []).some((d) => d.coverage_percent === 0);
  return troubled || uncovered || loud || (status.queue?.frozen ?? 0) + (status.queue?.held ?? 0) > 0 ? 'warn' : 'good';
}

// [{what, href?, words?}…]: what is to be done, the most urgent first. `words`: gatewayctl's twin.
export function todo(status) {
  if (!status) return [];
  const out = [];
  const add = (what, href, words) => out.push({ what, href, words });
  for (const d of status.daemons ?? []) {
    if (d.state !== 'running')
      add(`${d.name} does not run (${d.state}): look at its log; master starts it again by itself.`, '#/system', [
        ['status'],
      ]);
  }
  if (status.spool?.accepting === false) {
    add("Make room on the spool's file system: new mail that would be kept is answered 452.", '#/system', [['status']]);
  }
  for (const d of named(status.destinations, 'down')) {
    add(
      `Mend ${d.name}. Nothing has to be switched here: what is kept is handed over the moment it answers.`,
      `#/destinations/${encodeURIComponent(d.name)}`,
      [['dest', 'show', d.name]],
    );
  }
  for (const d of named(status.destinations, 'paused')) {
    add(
      `${d.name} was paused by an admin; resume it when it may have its mail.`,
      `#/destinations/${encodeURIComponent(d.name)}`,
      [['dest', 'resume', d.name]],
    );
  }
  if ((status.bypass ?? []).some((b) => b.by_hand && b.on)) {
    add('Filters are bypassed by hand: end it as soon as they may be asked again.', '#/filters', [
      ['filter', 'bypass', 'auto'],
    ]);
  }
  for (const f of status.filters ?? []) {
    if (f.failing) add(`The filter ${f.name} fails: look at it and its log.`, '#/filters', [['filter', 'test', f.name]]);
  }
  for (const q of status.quotas ?? []) {
    if (q.full)
      add(`The quota of ${q.domain ?? 'the whole queue'} is used up: more mail for it is answered 452.`, '#/queue', [
        ['queue', 'shape'],
      ]);
  }
  const held = status.queue?.held ?? 0;
  if (held > 0)
    add(
      `${held} held: look at them, then release, bounce or delete. Held mail does not expire.`,
      '#/queue?state=held',
      [['queue', 'list'], { state: 'held' }],
    );
  const frozen = status.queue?.frozen ?? 0;
  if (frozen > 0)
    add(`${frozen} frozen (bounces nobody takes): thaw or delete.`, '#/queue?state=frozen', [
      ['queue', 'list'],
      { state: 'frozen' },
    ]);
  for (const d of status.domains ?? []) {
    if (d.coverage_percent === 0) {
      add(
        `If ${d.destination} went down now, nobody's mail for ${d.name} would be kept: name its recipients.`,
        `#/recipients?domain=${encodeURIComponent(d.name)}`,
        [['rcpt', 'add', `someone@${d.name}`]],
      );
    }
  }
  return out;
}
