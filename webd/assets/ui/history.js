// Series of GET history, by name.

import * as api from './api.js';

const MOST = 60; // series a question

// `names`: ["rate.proxied", "state.*"]; a * at the end stands for all that begin so. [{series, step, points}], empty when
// there is no history.
export async function history(names, from, to) {
  try {
    const wanted = names.some((n) => n.endsWith('*')) ? await expanded(names) : names;
    if (wanted.length === 0) return [];
    const answer = await api.get('history', { series: wanted.join(','), from, to });
    return answer.series ?? [];
  } catch {
    return [];
  }
}

async function expanded(names) {
  const there = ((await api.get('history')).series ?? []).map((s) => s.name);
  const out = names.flatMap((n) => (n.endsWith('*') ? there.filter((t) => t.startsWith(n.slice(0, -1))) : [n]));
  return out.slice(0, MOST);
}
