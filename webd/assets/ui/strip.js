// A destination's last day as a strip: green where it was up, red where it was down, grey where nothing is known.

import { h, svg } from './dom.js';
import { spans } from '../lib/series.js';
import { span } from '../lib/format.js';

const WIDTH = 480;

// `series`: {step, points} of state.NAME, or undefined; `from`, `to` in seconds.
export function strip(name, series, { from, to }) {
  const list = spans(series?.points ?? [], series?.step ?? 0, from, to);
  const share = (s) => ((s - from) / (to - from)) * WIDTH;
  const down = list.filter((s) => s.state === 'down').reduce((sum, s) => sum + s.to - s.from, 0);
  const words = list.every((s) => s.state === null)
    ? 'nothing is known'
    : down > 0
      ? `down for ${span(down)}`
      : 'never down';
  return h(
    'span.strip',
    svg(
      'svg',
      {
        viewBox: `0 0 ${WIDTH} 14`,
        preserveAspectRatio: 'none',
        role: 'img',
        'aria-label': `${name} in the last ${span(to - from)}: ${words}`,
      },
      list.map((s) =>
        svg(
          'rect',
          {
            x: share(s.from).toFixed(1),
            y: 0,
            width: Math.max(1.5, share(s.to) - share(s.from)).toFixed(1),
            height: 14,
            class: `span-${s.state ?? 'unknown'}`,
          },
          svg('title', {}, `${s.state ?? 'unknown'}, ${span(s.to - s.from)}`),
        ),
      ),
    ),
  );
}
