// Who may do what. Pure. The server decides; here it is only asked which buttons to show.

const RANK = { viewer: 0, operator: 1, admin: 2 };

const NEEDS = {
  retry: 'operator',
  hold: 'operator',
  release: 'operator',
  thaw: 'operator',
  extend: 'operator',
  probe: 'operator',
  pause: 'operator',
  resume: 'operator',
  force: 'operator',
  test: 'operator',
  bypass: 'operator',
  'filter-test': 'operator',
  allow: 'admin',
  ack: 'operator',
  silence: 'operator',
  check: 'viewer',
  'alert-test': 'admin',
  bounce: 'admin',
  delete: 'admin',
  content: 'admin',
  recipients: 'admin',
  reload: 'admin',
  restart: 'admin',
  users: 'admin',
  audit: 'admin',
};

export const may = (role, deed) => (RANK[role] ?? -1) >= RANK[NEEDS[deed] ?? 'admin'];
