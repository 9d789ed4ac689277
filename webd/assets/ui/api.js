// The REST of docs/openapi.yaml, spoken with the session's cookie and its CSRF token.

import { search } from '../lib/route.js';

const BASE = '/api/v1/';
let csrf = null;
let onEnd = () => {};

export class Refused extends Error {
  constructor(status, kind, words) {
    super(words);
    this.status = status;
    this.kind = kind;
  }
}

export const use = (session) => {
  csrf = session?.csrf ?? null;
};
// Called when the server says that nobody is logged in any more.
export const whenEnded = (callback) => {
  onEnd = callback;
};

const PATIENCE_MS = 60000; // with what only looks; a deed on a great queue takes its time

export const get = (path, query = {}, patience = PATIENCE_MS) =>
  ask('GET', path + search(query), undefined, AbortSignal.timeout(patience));
export const post = (path, body = {}) => ask('POST', path, body);
export const remove = (path) => ask('DELETE', path);

// A path's word that may hold anything: an address, a queue id, a name.
export const word = (value) => encodeURIComponent(value);

// What a page asks by itself, long after anybody has touched it, does not keep the session alive.
const UNATTENDED_MS = 60000;
let touched = Date.now();
for (const kind of ['pointerdown', 'keydown', 'wheel', 'touchstart']) {
  globalThis.addEventListener?.(
    kind,
    () => {
      touched = Date.now();
    },
    { passive: true, capture: true },
  );
}

async function ask(method, path, body, signal) {
  const headers = { Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (Date.now() - touched > UNATTENDED_MS) headers['X-Unattended'] = '1';
  if (method !== 'GET' && csrf) headers['X-CSRF-Token'] = csrf;
  let response;
  try {
    response = await fetch(BASE + path, {
      method,
      headers,
      body: body && JSON.stringify(body),
      credentials: 'same-origin',
      cache: 'no-store',
      signal,
    });
  } catch {
    throw new Refused(0, 'unreachable', 'webd does not answer.');
  }
  const answer = await response.json().catch(() => null);
  if (response.ok) return answer ?? {};
  if (response.status === 401 && path !== 'login') onEnd();
  throw new Refused(
    response.status,
    answer?.error?.kind ?? '',
    answer?.error?.text ?? `the server answered ${response.status}`,
  );
}
