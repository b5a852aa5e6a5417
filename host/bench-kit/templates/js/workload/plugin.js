// What is measured, and how its result is checked.

export const plugin = {
  describe() {
    const n = {
      name: 'n',
      summary: 'How many numbers',
      unit: '1',
      defaults: [{ tag: 'integer', val: 4096n }],
      domain: { tag: 'between', val: [{ tag: 'integer', val: 1n }, { tag: 'integer', val: 65536n }] },
    };
    const sum = {
      name: 'sum',
      driver: 'workload',
      family: 'example',
      summary: 'Adds numbers that lie in memory.',
      // The column `limit` then says how far it is from what the machine can read.
      limit: 'memory-read',
      parameters: [n],
      metrics: [],
      requirements: [],
    };
    return { name: '{{name}}', version: '0.1.0', summary: 'Adds numbers.', scenarios: [sum] };
  },
};

class Session {
  constructor(n) {
    this.numbers = Float64Array.from({ length: n }, (_, index) => index + 1);
    this.found = 0;
  }

  // Everything that is not to be timed: input is made here.
  static open(scenario, parameters) {
    if (scenario !== 'sum') throw { tag: 'unknown-scenario', val: scenario };
    const value = (name) => parameters.find((parameter) => parameter.name === name).value.val;
    return new Session(Number(value('n')));
  }

  // Timed: `times` operations and nothing else.
  iterate(times) {
    for (let turn = 0n; turn < times; turn++) {
      let total = 0;
      for (let index = 0; index < this.numbers.length; index++) total += this.numbers[index];
      this.found = total;
    }
    return { operations: times, bytes: times * BigInt(this.numbers.byteLength), checksum: BigInt(this.found) };
  }

  // Compares the result with one that was found in another way. A figure counts only if this passes.
  verify() {
    const n = this.numbers.length;
    const expected = (n * (n + 1)) / 2;
    return [{ name: 'sum', passed: this.found === expected, detail: `expected ${expected}, found ${this.found}` }];
  }
}

export const sessions = { Session };
