// What one would type instead of pressing a button: gatewayctl's words, quoted for a shell. Pure.

// As it is when no shell would read anything into it; $'…' when it has what cannot be seen; else '…'.
export function quote(word) {
  const value = String(word);
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(value)) return value;
  if (!/[^\x20-\x7e]/.test(value)) return `'${value.replaceAll("'", "'\\''")}'`;
  let out = '';
  for (const byte of new TextEncoder().encode(value)) {
    if (byte === 0x27 || byte === 0x5c) out += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 0x20 && byte < 0x7f) out += String.fromCharCode(byte);
    else out += `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return `$'${out}'`;
}

// twin(['queue', 'retry'], {destination: 'office', yes: true}) is "gatewayctl queue retry --destination office --yes".
export function twin(words, options = {}) {
  const out = ['gatewayctl', ...words.map(quote)];
  for (const [key, value] of Object.entries(options)) {
    const name = key.replaceAll('_', '-');
    if (value === null || value === undefined || value === '' || value === false) continue;
    if (value === true) out.push(`--${name}`);
    else if (String(value).startsWith('-')) out.push(`--${name}=${quote(value)}`);
    else out.push(`--${name}`, quote(value));
  }
  return out.join(' ');
}
