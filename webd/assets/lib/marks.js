// Text that strangers wrote, split so that what cannot be seen, or would turn its neighbours around, is shown as a
// visible mark. Pure. The pieces go to the page by textContent only.

const NAMES = {
  0x7f: 'DEL',
  0xad: 'SHY',
  0x34f: 'CGJ',
  0x61c: 'ALM',
  0x115f: 'HCF',
  0x1160: 'HJF',
  0x17b4: 'KIV',
  0x17b5: 'KIV',
  0x180e: 'MVS',
  0x200b: 'ZWSP',
  0x200c: 'ZWNJ',
  0x200d: 'ZWJ',
  0x200e: 'LRM',
  0x200f: 'RLM',
  0x2028: 'LSEP',
  0x2029: 'PSEP',
  0x202a: 'LRE',
  0x202b: 'RLE',
  0x202c: 'PDF',
  0x202d: 'LRO',
  0x202e: 'RLO',
  0x2060: 'WJ',
  0x2066: 'LRI',
  0x2067: 'RLI',
  0x2068: 'FSI',
  0x2069: 'PDI',
  0x3164: 'HF',
  0xfeff: 'BOM',
  0xffa0: 'HHF',
  0xfffc: 'OBJ',
};

const C0 = [
  'NUL',
  'SOH',
  'STX',
  'ETX',
  'EOT',
  'ENQ',
  'ACK',
  'BEL',
  'BS',
  'TAB',
  'LF',
  'VT',
  'FF',
  'CR',
  'SO',
  'SI',
  'DLE',
  'DC1',
  'DC2',
  'DC3',
  'DC4',
  'NAK',
  'SYN',
  'ETB',
  'CAN',
  'EM',
  'SUB',
  'ESC',
  'FS',
  'GS',
  'RS',
  'US',
];

// Controls (C0, DEL, C1), format characters (bidi, zero width, tags), separators of lines, lone surrogates, fillers that
// show nothing, and what Unicode will never assign.
const UNSEEN =
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\ufffc\ufdd0-\ufdef]|[\u{1fffe}\u{1ffff}\ufffe\uffff]/u;

const code = (point) => `U+${point.toString(16).toUpperCase().padStart(4, '0')}`;

export function markOf(character) {
  const point = character.codePointAt(0);
  return { text: point < 0x20 ? C0[point] : (NAMES[point] ?? code(point)), title: code(point) };
}

// [{text, mark: false} | {text: 'RLO', title: 'U+202E', mark: true}…]; joined, the texts of one without marks are `value`.
// `layout`: tabs and line ends stay as they are, for what is shown with its lines.
export function pieces(value, { layout = false } = {}) {
  const out = [];
  let plain = '';
  for (const character of String(value ?? '')) {
    if (!UNSEEN.test(character) || (layout && (character === '\n' || character === '\t'))) {
      plain += character;
      continue;
    }
    if (plain !== '') out.push({ text: plain, mark: false });
    plain = '';
    out.push({ ...markOf(character), mark: true });
  }
  if (plain !== '') out.push({ text: plain, mark: false });
  return out;
}

// The same in one line of text, for titles and labels: "invoice⟨RLO⟩exe".
export const visible = (value) =>
  pieces(value)
    .map((p) => (p.mark ? `⟨${p.text}⟩` : p.text))
    .join('');
