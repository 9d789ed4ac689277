// Numbers, sizes and times in words. Pure: time and zone are arguments. What is unknown (null) is a dash, never 0.

export const DASH = '–';

const known = (value) => value !== null && value !== undefined && value !== '' && !Number.isNaN(value);
const grouped = new Intl.NumberFormat('en');

export const count = (n) => (known(n) ? grouped.format(n) : DASH);

// "1 message", "1,204 messages".
export const counted = (n, word) => (known(n) ? `${count(n)} ${word}${n === 1 ? '' : 's'}` : `${DASH} ${word}s`);

// A sentence with moments as ISO 8601 in it, in parts: [{words}, {at}…].
export const timed = (sentence) =>
  String(sentence)
    .split(/(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)/)
    .map((part, i) => (i % 2 === 1 ? { at: part } : { words: part }))
    .filter((part) => part.at || part.words);

export const percent = (n) => (known(n) ? `${n} %` : DASH);

export const text = (value) => (known(value) ? String(value) : DASH);

export function bytes(n) {
  if (!known(n)) return DASH;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = n;
  let unit = 0;
  while (value >= 1023.5 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

// A rate a second, in the unit that reads best: "12 /s", "3.4 /min".
export function rate(perSecond) {
  if (!known(perSecond)) return DASH;
  if (perSecond === 0) return '0 /s';
  const [value, unit] = perSecond >= 1 ? [perSecond, '/s'] : [perSecond * 60, '/min'];
  return `${value >= 10 ? count(Math.round(value)) : value.toFixed(1)} ${unit}`;
}

const UNITS = [
  ['d', 86400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
];

// The two greatest units: "4d 3h", "2h 5m", "45s".
export function span(seconds) {
  if (!known(seconds)) return DASH;
  let rest = Math.max(0, Math.floor(seconds));
  const first = UNITS.findIndex(([, size]) => rest >= size);
  if (first < 0) return '0s';
  const parts = [];
  for (const [name, size] of UNITS.slice(first, first + 2)) {
    const n = Math.floor(rest / size);
    rest -= n * size;
    if (n > 0) parts.push(`${n}${name}`);
  }
  return parts.join(' ');
}

// As gatewayctl takes it, in the greatest unit that fits: "80m", "90s"; "" for 0 and what is unknown.
export function length(n) {
  if (!known(n) || n === 0) return '';
  const [name, size] = UNITS.find(([, s]) => n % s === 0);
  return `${n / size}${name}`;
}

// Milliseconds of an ISO time or of seconds since 1970; null when it is neither.
export function instant(value) {
  if (typeof value === 'number' && Number.isFinite(value)) return value * 1000;
  if (typeof value !== 'string' || value === '') return null;
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? null : ms;
}

const parts = (ms, zone, options) => {
  const out = {};
  for (const { type, value } of new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hourCycle: 'h23',
    ...options,
  }).formatToParts(ms))
    out[type] = value;
  return out;
};

const dayOf = (ms, zone) => {
  const p = parts(ms, zone, { year: 'numeric', month: '2-digit', day: '2-digit' });
  return `${p.year}-${p.month}-${p.day}`;
};

// "10:02" today, "Thu 10:02" within six days, "22 Nov 10:02", and with the year when it is another; "10:02:33" with seconds.
export function clock(ms, zone, now, seconds = false) {
  if (!known(ms)) return DASH;
  const p = parts(ms, zone, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  const time = `${p.hour}:${p.minute}${seconds ? `:${p.second}` : ''}`;
  if (dayOf(ms, zone) === dayOf(now, zone)) return time;
  if (Math.abs(ms - now) < 6 * 86400e3) return `${p.weekday} ${time}`;
  const year = dayOf(ms, zone).slice(0, 4) === dayOf(now, zone).slice(0, 4) ? '' : ` ${p.year}`;
  return `${p.day} ${p.month}${year} ${time}`;
}

// "2026-11-22 10:02:33 Europe/Berlin (2026-11-22T09:02:33Z)": what a time shows when it is pointed at.
export function exact(ms, zone) {
  if (!known(ms)) return '';
  const p = parts(ms, zone, {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  const utc = new Date(ms).toISOString().replace('.000Z', 'Z');
  return `${p.year}-${p.month}-${p.day} ${p.hour}:${p.minute}:${p.second} ${zone} (${utc})`;
}

export const ago = (ms, now) => (known(ms) ? `${span((now - ms) / 1000)} ago` : DASH);
export const ahead = (ms, now) => (known(ms) ? (ms > now ? `in ${span((ms - now) / 1000)}` : 'now') : DASH);

// How long a falling number will take to reach 0, from samples [ms, n], oldest first; null when it does not fall.
export function eta(samples) {
  if (samples.length < 2) return null;
  const [firstMs, first] = samples[0];
  const [lastMs, last] = samples[samples.length - 1];
  if (last === 0) return 0;
  const gone = first - last;
  if (gone <= 0 || lastMs <= firstMs) return null;
  return Math.ceil((last * (lastMs - firstMs)) / gone / 1000);
}
