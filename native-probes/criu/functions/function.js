// The function of `function-core` in JavaScript: the same answers, byte for byte, behind the socket that is standard input.
"use strict";
const { createHash } = require("crypto");
const { createServer } = require("http");

const PAGE = 4096;
const RULES = 1022;

const SEAL = createHash("sha256").update("bench-host function").digest();

function work(milliseconds) {
  let spent = 0;
  let fastest = Infinity;
  while (spent < milliseconds) {
    const start = performance.now();
    let digest = SEAL;
    for (let round = 0; round < 200; round++) digest = createHash("sha256").update(digest).digest();
    const took = performance.now() - start;
    fastest = Math.min(fastest, took);
    spent += Math.min(took, 2 * fastest);
  }
}

function initialise(heapBytes, initMs) {
  work(initMs);
  let word = SEAL.readUInt32LE(0);
  const page = Buffer.alloc(PAGE);
  for (let index = 0; index < RULES; index++) {
    word = (Math.imul(word, 1664525) + 1013904223) >>> 0;
    page.writeUInt32LE(word >>> 16, 8 + 4 * index);
  }
  const pages = Math.max(1, Math.ceil(heapBytes / PAGE));
  const table = Buffer.allocUnsafe(pages * PAGE);
  for (let number = 0; number < pages; number++) {
    page.writeUInt32LE(number, 0);
    page.copy(table, number * PAGE);
  }
  return table;
}

function rule(table, sku) {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(sku)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  const page = Math.floor(value / RULES) % (table.length / PAGE);
  return table.readUInt32LE(page * PAGE + 8 + (value % RULES) * 4);
}

function isNumber(value, low, high) {
  return Number.isInteger(value) && low <= value && value <= high;
}

function handle(table, body) {
  const { name, items } = JSON.parse(body);
  if (typeof name !== "string" || !/^\P{Cc}{1,64}$/u.test(name)) {
    throw new Error("`name` must be a text of 1 to 64 printable characters");
  }
  if (!Array.isArray(items) || items.length < 1 || items.length > 1000) {
    throw new Error("`items` must be a list of 1 to 1000 items");
  }
  const lines = [];
  let total = 0;
  items.forEach(({ sku, quantity, price_cents: price }, index) => {
    if (typeof sku !== "string" || !/^[A-Za-z0-9-]{1,32}$/.test(sku)) {
      throw new Error(`item ${index}: \`sku\` must be 1 to 32 letters, digits and dashes`);
    }
    if (!isNumber(quantity, 1, 1000)) throw new Error(`item ${index}: \`quantity\` must be 1 to 1000`);
    if (!isNumber(price, 0, 10000000)) throw new Error(`item ${index}: \`price_cents\` must be 0 to 10000000`);
    const discount = rule(table, sku) % 31;
    const cents = Math.floor((quantity * price * (100 - discount)) / 100);
    lines.push(`${quantity} x ${sku} at ${price}, less ${discount} %: ${cents}`);
    total += cents;
  });
  const greeting = `Hello, ${name}: ${lines.length} lines, ${total} cents`;
  const hash = createHash("sha256");
  for (const line of [...lines, greeting]) hash.update(line + "\n");
  return JSON.stringify({ digest: hash.digest("hex"), greeting, lines, total_cents: total });
}

function respond(table, body) {
  try {
    return [200, handle(table, body)];
  } catch (error) {
    return [400, JSON.stringify({ error: error.message })];
  }
}

const table = initialise(Number(process.env.BENCH_HEAP_BYTES ?? 1 << 20), Number(process.env.BENCH_INIT_MS ?? 0));
const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const [status, body] = respond(table, Buffer.concat(chunks).toString());
    response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
    response.end(body);
  });
});
// One client, so that nothing is left when it has gone.
server.on("connection", (socket) => socket.on("close", () => process.exit(0)));
server.listen({ fd: 0 });
