// What an operator changes, each after a question, with a token that this tab alone keeps.
'use strict';

class Operator {
  constructor() {
    at('operator-cancel').addEventListener('click', () => at('operator').close());
    at('operator-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.go();
    });
  }

  adopt(stranger, profiles, taken) {
    let number = 1;
    while (taken.has(`pi-${String(number).padStart(2, '0')}`)) ++number;
    this.begin({
      title: 'Adopt this board',
      text: `${stranger.serial || stranger.mac} asked ${stranger.requests} times. It gets a file of its own in boards.d; the next apply makes what it boots from.`,
      go: 'Adopt',
      fields: [
        {name: 'name', title: 'Name', value: `pi-${String(number).padStart(2, '0')}`, pattern: '[A-Za-z0-9_.\\-]+'},
        {name: 'profile', title: 'Profile', value: profiles[0] || '', choices: profiles},
        {name: 'serial', title: 'Serial number', value: stranger.serial || '', pattern: '[0-9a-fA-F]{8,16}', readonly: Boolean(stranger.serial)},
        {name: 'address', title: 'Address (else one of the pool)', value: '', optional: true},
      ],
      call: (values) => change('POST', '/api/v1/boards', {...values, ...(stranger.mac ? {mac: stranger.mac} : {})}),
    });
  }

  forget(name, after) {
    this.begin({
      title: `Forget ${name}?`, go: 'Forget', fields: [], after,
      text: 'It is taken out of the fleet when it was adopted or enrolled. Its root and its history stay until they are collected.',
      call: () => change('DELETE', `/api/v1/boards/${encodeURIComponent(name)}`),
    });
  }

  rollBack(generation, after) {
    this.begin({
      title: `Make generation ${generation} current?`, go: 'Roll back', fields: [], after,
      text: 'Boards that boot from now on get it. Boots that are under way end with what they began; what boards wrote into their roots stays.',
      call: () => change('POST', '/api/v1/rollback', {generation}),
    });
  }

  begin(question) {
    this.question = question;
    set(at('operator-title'), question.title);
    set(at('operator-text'), question.text);
    set(at('operator-go'), question.go);
    at('operator-fields').replaceChildren(...question.fields.flatMap((field) => this.fieldOf(field)));
    at('token').value = '';
    this.askToken(!token.get());
    this.fail('');
    at('operator').showModal();
  }

  fieldOf(field) {
    const label = make('label', field.title);
    label.htmlFor = `field-${field.name}`;
    const input = make(field.choices && field.choices.length ? 'select' : 'input');
    input.id = label.htmlFor;
    input.name = field.name;
    if (input.tagName === 'SELECT') {
      input.append(...field.choices.map((choice) => make('option', choice)));
    } else {
      input.autocomplete = 'off';
      if (field.pattern) input.pattern = field.pattern;
      input.readOnly = Boolean(field.readonly);
    }
    input.value = field.value;
    input.required = !field.optional;
    return [label, input];
  }

  askToken(wanted) {
    at('token-field').hidden = !wanted;
    at('token').required = wanted;
  }

  fail(text) {
    set(at('operator-error'), text);
    at('operator-error').hidden = !text;
  }

  async go() {
    const {question} = this;
    if (!at('token-field').hidden) token.set(at('token').value.trim());
    const values = {};
    for (const input of at('operator-fields').querySelectorAll('input, select')) {
      if (input.value.trim()) values[input.name] = input.value.trim();
    }
    at('operator-go').disabled = true;
    this.fail('');
    try {
      const done = await question.call(values);
      at('operator').close();
      this.say(done.message);
      if (question.after) question.after();
    } catch (error) {
      if (error.status === 401) {
        token.forget();
        this.askToken(true);
        at('token').value = '';
        at('token').focus();
      }
      this.fail(error.message);
    }
    at('operator-go').disabled = false;
  }

  say(text) {
    const box = at('done');
    set(box, text.trim());
    box.hidden = false;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { box.hidden = true; }, 9000);
  }
}
