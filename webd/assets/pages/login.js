// Name and password.

import { fill, h, field } from '../ui/dom.js';
import * as api from '../ui/api.js';

export function login(enter) {
  const said = h('div', { role: 'alert' });
  const name = h('input', {
    name: 'name',
    autocomplete: 'username',
    autocapitalize: 'none',
    spellcheck: 'false',
    required: true,
  });
  const password = h('input', { name: 'password', type: 'password', autocomplete: 'current-password', required: true });
  const button = h('button.main', { type: 'submit' }, 'Log in');
  const submit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      enter(await api.post('login', { name: name.value, password: password.value }));
    } catch (fault) {
      button.disabled = false;
      fill(said, h('p.banner.bad', fault.message));
      password.select();
      password.focus();
    }
  };
  return h(
    'main.alone.login',
    h('h1', 'Holdfast'),
    h('form', { onsubmit: submit }, said, field('Name', name), field('Password', password), button),
    h('p.hint', 'A user is made by ', h('code', 'gatewayctl web user add NAME --role admin')),
  );
}
