// Series of GET history, by name.

import * as api from './api.js';

// `names`: "rate.proxied,state.*". [{series, step, points}], empty when there is no history.
export async function history(names, from, to) {
  try {
    const answer = await api.get('history', { series: names, from, to });
    return Array.isArray(answer) ? answer : answer.series ?? [];
  } catch {
    return [];
  }
}
