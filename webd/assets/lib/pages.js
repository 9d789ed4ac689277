// The pages in the order of the menu; each is pages/NAME.js. `key`: the second one behind g.
export const PAGES = [
  { name: 'overview', title: 'Overview', key: 'o' },
  { name: 'queue', title: 'Queue', key: 'q' },
  { name: 'message', title: 'Message', hidden: true },
  { name: 'destinations', title: 'Destinations', key: 'd' },
  { name: 'domains', title: 'Domains', key: 'm' },
  { name: 'recipients', title: 'Recipients', key: 'r' },
  { name: 'trace', title: 'Trace', key: 't' },
  { name: 'filters', title: 'Filters', key: 'f' },
  { name: 'report', title: 'Report', key: 'p' },
  { name: 'alerts', title: 'Alerts', key: 'a' },
  { name: 'config', title: 'Config', key: 'c' },
  { name: 'system', title: 'System', key: 's' },
];
