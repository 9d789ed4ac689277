// What can be done to messages, chosen by hand or by a filter: the same words as gatewayctl queue.

import { h, field } from './dom.js';
import { ask, attempt, button, tell } from './act.js';
import * as api from './api.js';
import { bytes, count, counted } from '../lib/format.js';
import { may } from '../lib/roles.js';
import { twin } from '../lib/twin.js';

export const DEEDS = {
  retry: { label: 'Retry', done: 'will be tried now', hint: 'They are tried now instead of at their time.' },
  hold: { label: 'Hold', done: 'held', hint: 'They stay until they are released, and do not expire.' },
  release: { label: 'Release', done: 'released', hint: 'Held ones go on; one past its time has a day left.' },
  thaw: { label: 'Thaw', done: 'thawed', hint: 'Frozen ones are tried once more.' },
  extend: { label: 'Extend', done: 'expire later', hint: 'They are kept longer before they go back to their senders.' },
  bounce: {
    label: 'Bounce',
    done: 'given up; their senders are told',
    hint: 'They are given up, and their senders are told.',
    destroys: true,
  },
  delete: {
    label: 'Delete',
    done: 'deleted; nobody was told',
    hint: 'They are thrown away, and nobody is told.',
    destroys: true,
  },
};

// `target`: {ids} or {filter} or {all: true}.
export function words(deed, target, options = {}) {
  const ids = target.ids ?? [];
  const shown = ids.length > 8 ? [...ids.slice(0, 8), '...'] : ids;
  const yes = DEEDS[deed].destroys && !target.ids ? { yes: true } : {};
  return [
    ['queue', deed, ...shown],
    { ...(target.filter ?? {}), ...(target.all ? { all: true } : {}), ...options, ...yes },
  ];
}

export function buttons(session, deeds, { target, after, suffix = '' }) {
  return deeds
    .filter((deed) => may(session.role, deed))
    .map((deed) =>
      button({
        label: DEEDS[deed].label,
        key: `deed-${deed}${suffix}`,
        look: DEEDS[deed].destroys ? 'danger' : '',
        twin: words(deed, target()),
        run: (event) => act(deed, target(), { control: event.currentTarget, after }),
      }),
    );
}

async function act(deed, target, { control, after }) {
  const named = target.ids !== undefined;
  if (named && target.ids.length === 0) return tell('bad', 'No message is selected.');
  const options = await sure(deed, target, named, control);
  if (options === null) return;
  const command = twin(...words(deed, target, options));
  const body = { ...target, ...options };
  const atWork = named ? () => {} : tell('busy', `${DEEDS[deed].label}: at work …`, command);
  const answer = await attempt(() => api.post(`queue/${deed}`, body), {
    command,
    control,
    done: (a) => (a.changed > 0 ? `${counted(a.changed, 'message')} ${DEEDS[deed].done}.` : 'Nothing was changed.'),
  });
  atWork();
  if (answer?.failed?.length > 0) {
    tell(
      'bad',
      `${counted(answer.failed.length, 'message')} not: ${answer.failed
        .slice(0, 3)
        .map((f) => `${f.queue_id}: ${f.reason}`)
        .join('; ')}`,
    );
  }
  if (answer) after?.(answer);
}

// What is destroyed, or reaches beyond what was marked by hand, is counted and asked for first. {} or options; null: no.
async function sure(deed, target, named, control) {
  const { destroys, hint, label } = DEEDS[deed];
  if (named && !destroys && deed !== 'extend') return {};
  const trial = await attempt(
    () => api.post(`queue/${deed}`, { ...target, ...(deed === 'extend' ? { by: '1d' } : {}), dry_run: true }),
    { control },
  );
  if (trial === null) return null;
  if (!(trial.changed > 0)) {
    tell(
      'bad',
      trial.failed?.[0]?.reason
        ? `Nothing would be changed: ${trial.failed[0].reason}`
        : 'Nothing there that this can be done to.',
    );
    return null;
  }
  const by = h('input', { name: 'by', value: '1d', required: true, pattern: '\\d+[smhd]', autocomplete: 'off' });
  const body = [
    h(
      'p',
      h('b', counted(trial.changed, 'message')),
      trial.bytes ? ` (${bytes(trial.bytes)})` : '',
      target.all ? ': the whole queue. ' : '. ',
      hint,
    ),
    deed === 'extend' ? field('Later by', by, '12h, 2d') : null,
    destroys && !named
      ? h(
          'label.check',
          h('input', { type: 'checkbox', required: true }),
          ` Yes, ${label.toLowerCase()} all ${count(trial.changed)}`,
        )
      : null,
  ];
  const options = () => (deed === 'extend' ? { by: by.value.trim() } : {});
  return ask({
    heading: `${label} ${counted(trial.changed, 'message')}?`,
    body,
    confirm: `${label} ${count(trial.changed)}`,
    look: destroys ? 'danger' : 'main',
    command: () => twin(...words(deed, target, options())),
    take: options,
  });
}
