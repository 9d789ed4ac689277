// What a graph's figures come to. Pure. A point is [seconds since 1970, value or null].

export const RANGES = {
  '15m': 900,
  '1h': 3600,
  '6h': 21600,
  '1d': 86400,
  '1w': 604800,
  '1mo': 2592000,
  '1y': 31536000,
};

// The last and the greatest known value, and when that was; null where nothing is known.
export function sum(points) {
  let last = null;
  let most = null;
  let at = null;
  for (const [when, value] of points) {
    if (value === null || value === undefined) continue;
    last = value;
    if (most === null || value > most) [most, at] = [value, when];
  }
  return { last, most, at };
}

// Those with the greatest maximum, the rest added up under one name: a graph has few colours.
export function greatest(series, limit, others) {
  const ranked = [...series].sort((a, b) => (sum(b.points).most ?? -1) - (sum(a.points).most ?? -1));
  if (ranked.length <= limit) return ranked;
  const rest = ranked.slice(limit - 1);
  const total = new Map();
  for (const { points } of rest) {
    for (const [when, value] of points) {
      if (value === null || value === undefined) total.set(when, total.get(when) ?? null);
      else total.set(when, (total.get(when) ?? 0) + value);
    }
  }
  const points = [...total].sort((a, b) => a[0] - b[0]);
  return [...ranked.slice(0, limit - 1), { name: `${others} (${rest.length})`, points }];
}

const STATES = [
  [1, 'up'],
  [0.75, 'draining'],
  [0.25, 'paused'],
  [0, 'down'],
];

// The state that a point of state.NAME stands for; null when it is not known. Rough steps hold means: 'partly' up.
export function stateOf(value) {
  if (value === null || value === undefined) return null;
  return STATES.find(([v]) => v === value)?.[1] ?? 'partly';
}

// Spans of one state for a strip: [{state, from, to}] in seconds, from points of state.NAME, each good for `step`.
export function spans(points, step, from, to) {
  const out = [];
  const add = (state, begin, end) => {
    const [start, stop] = [Math.max(begin, from), Math.min(end, to)];
    if (start >= stop) return;
    const last = out[out.length - 1];
    if (last && last.state === state && last.to >= start) last.to = stop;
    else out.push({ state, from: start, to: stop });
  };
  let at = from;
  for (const [when, value] of points) {
    add(null, at, when);
    add(stateOf(value), Math.max(at, when), when + step);
    at = Math.max(at, when + step);
  }
  add(null, at, to);
  return out;
}
