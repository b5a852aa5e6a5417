// An operator that copies each object it sees into another namespace. The driver specifies the scenario `chain`: the host links operators of
// this kind into a chain, and times an object on its way through them.
import { apply } from 'bench-host:operator/control-plane@0.2.0';

export const plugin = {
  describe() {
    const chain = {
      name: 'chain',
      driver: 'operator',
      family: '',
      summary: '',
      limit: undefined,
      parameters: [],
      metrics: [],
      requirements: [{ capability: 'arm:wasm', purpose: 'it is built as a component only', optional: false }],
    };
    const summary = 'Copies what it sees to the next namespace.';
    return { name: '{{name}}', version: '0.1.0', summary, scenarios: [chain] };
  },
};

// The state of this instance, which is one operator: where it writes to, and how many objects it has copied.
let to = '';
let copied = 0;

// What is thrown in place of a result is its error: one line of text.
export const operator = {
  // The host says which namespace to watch, and which one to write to.
  start(parameters) {
    const values = Object.fromEntries(parameters);
    to = values.apply;
    return [{ kind: 'TestResource', namespace: values.watch }];
  },

  // Copies the object's `nonce`, by which the host knows it, and says how many there were. What fails is tried again by the host.
  reconcile(event) {
    if (event.tag === 'deleted') return;
    const { key, spec } = event.val;
    // As text: it may be larger than a number of JavaScript can be.
    const nonce = /"nonce"\s*:\s*(\d+)/.exec(spec);
    if (nonce === null) throw 'the spec has no `nonce`';
    try {
      apply({ kind: key.kind, namespace: to, name: key.name }, `{"nonce":${nonce[1]},"count":${copied + 1}}`);
    } catch (error) {
      throw `the control plane refused: ${error.payload?.tag ?? error}`;
    }
    copied += 1;
  },

  // The state that is kept while the operator is unloaded.
  suspend() {
    return new TextEncoder().encode(`${copied} ${to}`);
  },

  resume(state) {
    const text = new TextDecoder().decode(state);
    const space = text.indexOf(' ');
    if (space < 1) throw 'the state is of another version';
    copied = Number(text.slice(0, space));
    to = text.slice(space + 1);
  },
};
