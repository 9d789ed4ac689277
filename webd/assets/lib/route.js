// Where one is: "#/queue/3F2A?state=held". Pure. Filters live here, so that a link shows what its sender saw.

export function parse(hash) {
  const [path, query = ''] = String(hash ?? '')
    .replace(/^#\/?/, '')
    .split(/\?(.*)/s);
  const words = path
    .split('/')
    .filter((w) => w !== '')
    .map(decode);
  const filters = {};
  for (const [name, value] of new URLSearchParams(query)) if (value !== '') filters[name] = value;
  return { page: words[0] ?? '', id: words[1] ?? null, filters };
}

// Names in order, nothing that is empty: the same place has the same address.
export function build(page, id = null, filters = {}) {
  const query = search(filters);
  return `#/${page}${id === null || id === undefined ? '' : `/${encodeURIComponent(id)}`}${query}`;
}

// "?a=b&c=d", or "" without any.
export function search(filters) {
  const query = new URLSearchParams();
  for (const name of Object.keys(filters).sort()) {
    const value = filters[name];
    if (value !== null && value !== undefined && value !== '' && value !== false) query.set(name, String(value));
  }
  return query.size > 0 ? `?${query}` : '';
}

// Only these of the filters: what a stranger's link adds to them is not passed on.
export function only(filters, names) {
  const out = {};
  for (const name of names) if (filters[name] !== undefined && filters[name] !== '') out[name] = filters[name];
  return out;
}

function decode(word) {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}
