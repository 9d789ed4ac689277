// Lines over time on a canvas (Chart.js), with a legend in words: last and greatest value of each.

import { h, fill, time } from './dom.js';
import { colour } from './theme.js';
import * as format from '../lib/format.js';
import { sum } from '../lib/series.js';

const DASHES = [[], [6, 3], [2, 2], [8, 3, 2, 3], [12, 4], [3, 5]];

export class Graph {
  // `show`: a value in words. `stacked`: areas on top of each other.
  constructor({ heading, show = format.count, stacked = false }) {
    this.heading = heading;
    this.show = show;
    this.stacked = stacked;
    this.canvas = h('canvas', { role: 'img', 'aria-label': heading });
    this.legend = h('ul.legend');
    this.frame = h('div.canvas', this.canvas);
    this.element = h('figure.graph', h('figcaption', heading), this.frame, this.legend);
    this.chart = null;
    this.over = false;
    this.redraw = () => this.data && this.draw(this.data);
    addEventListener('theme', this.redraw);
    this.dark = matchMedia('(prefers-color-scheme: dark)');
    this.dark.addEventListener('change', this.redraw);
  }

  // {series: [{name, points}], from, to (seconds), words?}
  draw(data) {
    if (this.over) return; // figures that come when the page has been left
    this.data = data;
    const figures = data.series.map((s) => ({ name: s.name, ...sum(s.points) }));
    const empty = figures.every((f) => f.most === null);
    this.frame.classList.toggle('empty', empty);
    this.canvas.setAttribute(
      'aria-label',
      empty
        ? `${this.heading}: nothing is known of this time`
        : `${this.heading}: ${figures.map((f) => `${f.name} now ${this.show(f.last)}, at most ${this.show(f.most)}`).join('; ')}`,
    );
    fill(
      this.legend,
      empty
        ? h('li', 'Nothing is known of this time yet.')
        : figures.map((f, i) =>
            h(
              'li',
              h(`span.key.c${i % 6}`, { 'aria-hidden': 'true' }),
              h('bdi', f.name),
              ' ',
              h('b', this.show(f.last)),
              h('span.most', ' at most ', this.show(f.most), f.at === null ? null : [', ', time(f.at)]),
            ),
          ),
    );
    if (empty || typeof Chart === 'undefined') return;
    const options = this.options(data);
    const datasets = data.series.map((s, i) => this.dataset(s, i));
    if (this.chart) {
      this.chart.data.datasets = datasets;
      this.chart.options = options;
      this.chart.update('none');
    } else {
      this.chart = new Chart(this.canvas, { type: 'line', data: { datasets }, options });
    }
  }

  dataset(series, i) {
    const line = colour(`c${i % 6}`);
    return {
      label: series.name,
      data: series.points.map(([when, value]) => ({ x: when, y: value ?? NaN })),
      borderColor: line,
      backgroundColor: `${line}33`,
      borderWidth: 1.5,
      borderDash: this.stacked ? [] : DASHES[i % 6],
      pointRadius: 0,
      pointHitRadius: 8,
      fill: this.stacked ? (i === 0 ? 'origin' : '-1') : false,
      stepped: false,
    };
  }

  options(data) {
    const [ink, grid] = [colour('dim'), colour('line')];
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
    const when = (s) => format.clock(s * 1000, zone, Date.now());
    return {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      parsing: false,
      normalized: true,
      interaction: { mode: 'index', intersect: false },
      plugins: {
        legend: { display: false },
        tooltip: {
          callbacks: {
            title: (items) => (items.length > 0 ? when(items[0].parsed.x) : ''),
            label: (item) => `${item.dataset.label}: ${this.show(item.parsed.y)}`,
          },
        },
      },
      scales: {
        x: {
          type: 'linear',
          min: data.from,
          max: data.to,
          grid: { color: grid },
          ticks: {
            color: ink,
            maxRotation: 0,
            autoSkipPadding: 24,
            maxTicksLimit: 7,
            callback: (value) => when(value),
          },
        },
        y: {
          beginAtZero: true,
          stacked: this.stacked,
          grid: { color: grid },
          ticks: { color: ink, maxTicksLimit: 5, precision: 0, callback: (value) => this.show(value) },
        },
      },
    };
  }

  dispose() {
    this.over = true;
    removeEventListener('theme', this.redraw);
    this.dark.removeEventListener('change', this.redraw);
    this.chart?.destroy();
  }
}
