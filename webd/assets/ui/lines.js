// Lines of the logs, in order of time.

import { cell, h, mail, table, time } from './dom.js';
import { build } from '../lib/route.js';

export function lines(list, { ids = true } = {}) {
  return table(
    'Lines of the logs',
    ['time', 'daemon', ...(ids ? ['id'] : []), 'text'],
    list.map((line) =>
      h(
        'tr',
        cell('time', time(line.time, 'second')),
        cell('daemon', line.daemon),
        ids
          ? cell('id', line.queue_id ? h('a.row', { href: build('message', line.queue_id) }, line.queue_id) : '')
          : null,
        h('td.line', { data: { label: 'text' } }, mail(line.text)),
      ),
    ),
    { none: 'The logs say nothing of it.', listing: ids },
  );
}
