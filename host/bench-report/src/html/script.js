
'use strict';
(() => {
  const all = (selector, within) => [...(within || document).querySelectorAll(selector)];

  // Theme: the reader's choice, else that of the system.
  const root = document.documentElement;
  const theme = document.getElementById('theme');
  const store = (value) => {
    try { if (value) localStorage.setItem('bench-host-theme', value); return localStorage.getItem('bench-host-theme'); } catch { return value; }
  };
  const isDark = () => (root.dataset.theme || (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
  const show = () => theme.setAttribute('aria-pressed', String(isDark()));
  const kept = store();
  if (kept === 'dark' || kept === 'light') root.dataset.theme = kept;
  show();
  theme.addEventListener('click', () => { root.dataset.theme = isDark() ? 'light' : 'dark'; store(root.dataset.theme); show(); });

  // Rows that open. What is in them is text until they are opened first, so that a page of many rows stays quick; of rows that are not
  // shown at first it is deflated.
  const unpacked = (text) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'))).text();
  };
  const open = async (button, isOpen) => {
    button.setAttribute('aria-expanded', String(isOpen));
    const more = document.getElementById(button.getAttribute('aria-controls'));
    more.hidden = !isOpen;
    if (!isOpen) return;
    const kept = more.querySelector('noscript');
    if (kept) kept.outerHTML = kept.textContent;
    const body = more.firstElementChild;
    const text = body.dataset.packed;
    if (!text) return;
    delete body.dataset.packed;
    try { body.innerHTML = await unpacked(text); } catch (error) { body.textContent = `This browser cannot unpack the row: ${error}`; }
  };
  const isOpen = (button) => button.getAttribute('aria-expanded') === 'true';
  document.addEventListener('click', (event) => {
    const button = event.target.closest('button.open');
    if (button) open(button, !isOpen(button));
  });

  // Deep links: a cell is shown and opened, whatever is filtered. What is no valid address leads nowhere.
  const target = () => { try { return document.getElementById(decodeURIComponent(location.hash.slice(1))); } catch { return null; } };
  const follow = () => {
    const body = target();
    const button = body && body.querySelector(':scope > tr button.open');
    if (!button) return;
    body.hidden = false;
    open(button, true);
    body.scrollIntoView();
  };
  addEventListener('hashchange', follow);
  follow();

  // The rows of each table of cells in the reader's order.
  const orders = new Map();
  const ordered = (table) => orders.get(table) || [...table.tBodies];

  const wordsOf = (input) => input.value.toLowerCase().split(/\s+/).filter(Boolean);

  // Filters. Of many rows that match, the first are shown, because browsers take long to lay out thousands; all are on request, and in
  // print.
  for (const tools of all('.tools[data-for]')) {
    const table = document.getElementById(tools.dataset.for);
    const texts = new Map();
    const text = (body) => {
      if (!texts.has(body)) texts.set(body, body.querySelector('th').textContent.toLowerCase());
      return texts.get(body);
    };
    const [words, arm, status] = ['[data-filter]', '[data-arm]', '[data-status]'].map((name) => tools.querySelector(name));
    const [count, showAll, toggle] = ['.count', '[data-show-all]', '[data-open-all]'].map((name) => tools.querySelector(name));
    const most = Number(table.dataset.shown);
    let isWhole = false;
    const filter = () => {
      const wanted = wordsOf(words);
      const bodies = ordered(table);
      const found = bodies.filter((body) => (!arm.value || body.dataset.arm === arm.value)
        && (!status.value || body.dataset.status === status.value) && wanted.every((word) => text(body).includes(word)));
      const isCut = found.length > most && !isWhole;
      const shown = new Set(isCut ? found.slice(0, most) : found);
      for (const body of bodies) if (body.hidden === shown.has(body)) body.hidden = !body.hidden;
      // Only rows that are shown take their place in a new order: moving those of thousands that are hidden takes longer than sorting.
      if (orders.has(table) && shown.size) table.tBodies[0].before(...shown);
      count.textContent = `${found.length} of ${bodies.length} cells${isCut ? `, the first ${most} shown` : ''}`;
      showAll.hidden = !isCut;
    };
    const showWhole = (whole) => { isWhole = whole; filter(); };
    [words, arm, status].forEach((input) => input.addEventListener('input', filter));
    table.addEventListener('sorted', filter);
    showAll.addEventListener('click', () => showWhole(true));
    addEventListener('beforeprint', () => { const was = isWhole; showWhole(true); addEventListener('afterprint', () => showWhole(was), { once: true }); });
    filter();
    toggle.addEventListener('click', () => {
      const isAll = toggle.dataset.open !== 'true';
      all(isAll ? 'tbody:not([hidden]) button.open' : 'button.open', table).forEach((button) => open(button, isAll));
      toggle.dataset.open = String(isAll);
      toggle.textContent = isAll ? 'Close all' : 'Open all';
    });
    follow();
  }

  // Filters of other tables: a row is found by its own words and those of the heading of its group.
  const isHeading = (row) => row.cells[0].scope === 'rowgroup';
  for (const input of all('input[data-rows]')) {
    const bodies = [...document.getElementById(input.dataset.rows).tBodies].map((body) => {
      const rows = [...body.rows];
      return [rows.filter(isHeading), rows.filter((row) => !isHeading(row))];
    });
    const found = input.closest('.tools').querySelector('.found');
    const text = (row) => row.textContent.toLowerCase();
    input.addEventListener('input', () => {
      const wanted = wordsOf(input);
      let [shown, count] = [0, 0];
      for (const [headings, rows] of bodies) {
        const heading = headings.map(text).join(' ');
        for (const row of rows) row.hidden = !wanted.every((word) => `${heading} ${text(row)}`.includes(word));
        const own = rows.filter((row) => !row.hidden).length;
        headings.forEach((row) => { row.hidden = own === 0; });
        shown += own;
        count += rows.length;
      }
      found.textContent = wanted.length ? `${shown} of ${count} rows` : '';
    });
  }

  // What is folded is printed too.
  addEventListener('beforeprint', () => {
    const folded = all('details:not([open])');
    folded.forEach((one) => { one.open = true; });
    addEventListener('afterprint', () => folded.forEach((one) => { one.open = false; }), { once: true });
  });

  // Sorting: figures by their value in base units, of a range by its lower end; words if not all of a column are figures, such as arguments
  // that only begin with digits. What is missing is last in both directions.
  const { compare } = new Intl.Collator(undefined, { numeric: true });
  const sorted = (items, cellOf, isUp) => {
    const keyed = items.map((item) => {
      const cell = cellOf(item);
      const given = (cell && cell.dataset.v) || '';
      const text = cell ? cell.textContent.trim() : '';
      return { item, given, text, value: given === '' ? NaN : Number(given.split('..')[0]) };
    });
    const isFigure = (one) => !Number.isNaN(one.value);
    const areFigures = keyed.some(isFigure) && keyed.every((one) => one.given === '' || isFigure(one));
    const isMissing = areFigures ? (one) => !isFigure(one) : (one) => one.text === '' || one.text === '–';
    const between = areFigures ? (a, b) => a.value - b.value : (a, b) => compare(a.text, b.text);
    const order = isUp ? 1 : -1;
    keyed.sort((a, b) => isMissing(a) - isMissing(b) || (isMissing(a) ? 0 : order * between(a, b)));
    return keyed.map((one) => one.item);
  };
  // Rows stay in their groups, below the heading; groups are in the order of their first rows.
  const sortRows = (table, column, isUp) => {
    const rows = [...table.tBodies].flatMap((body) => [...body.rows]).filter((row) => !isHeading(row));
    const groups = new Map();
    for (const row of sorted(rows, (one) => one.cells[column], isUp)) {
      const body = row.parentElement;
      if (!groups.has(body)) groups.set(body, []);
      groups.get(body).push(row);
    }
    groups.forEach((own, body) => { body.append(...own); table.append(body); });
  };
  for (const button of all('button[data-sort]')) {
    button.addEventListener('click', () => {
      const head = button.closest('th');
      const table = head.closest('table');
      const column = head.cellIndex;
      const isUp = head.getAttribute('aria-sort') !== 'ascending';
      [...table.tHead.rows[0].cells].forEach((other) => other.setAttribute('aria-sort', 'none'));
      head.setAttribute('aria-sort', isUp ? 'ascending' : 'descending');
      if (!table.classList.contains('cells')) {
        sortRows(table, column, isUp);
        return;
      }
      orders.set(table, sorted(ordered(table), (body) => body.firstElementChild.children[column], isUp));
      table.dispatchEvent(new Event('sorted'));
    });
  }

  // Copies the rows that are shown, without those they open to, as the Markdown of reports: no text is markup, a formula, a mention or a link.
  const apart = '<!' + '-- -->';
  const plain = (cell) => {
    const copy = cell.cloneNode(true);
    all('a.link', copy).forEach((link) => link.remove());
    return copy.textContent.trim().replace(/\s+/g, ' ')
      .replace(/[\\|<>*[\]`~#&]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '\\$&')
      .replace(/\$/g, '<span>\\$$</span>')
      .replace(/@(?=[\p{L}\p{N}])|#(?=\d)|(?<=GH)-(?=\d)|:(?=\/\/)|(?<=www)\./giu, `$&${apart}`);
  };
  const markdown = (table) => {
    const line = (cells) => `| ${cells.join(' | ')} |`;
    const head = [...table.tHead.rows[0].cells];
    const rules = head.map((cell) => (cell.classList.contains('n') ? '--:' : '---'));
    const rows = [...table.tBodies].filter((body) => !body.hidden).flatMap((body) => [...body.rows]).filter((row) => !row.hidden && !row.classList.contains('more'));
    const filled = rows.map((row) => { const cells = [...row.cells].map(plain); while (cells.length < head.length) cells.push(''); return line(cells); });
    return [line(head.map(plain)), line(rules), ...filled].join('\n') + '\n';
  };
  const copy = async (text) => {
    try { await navigator.clipboard.writeText(text); return true; } catch {
      const area = document.createElement('textarea');
      area.value = text;
      document.body.append(area);
      area.select();
      const isDone = document.execCommand('copy');
      area.remove();
      return isDone;
    }
  };
  document.addEventListener('click', async (event) => {
    const button = event.target.closest('button[data-copy]');
    if (!button) return;
    const isDone = await copy(markdown(document.getElementById(button.dataset.copy)));
    button.textContent = isDone ? 'Copied' : 'Could not copy';
    setTimeout(() => { button.textContent = 'Copy as Markdown'; }, 2000);
  });
})();
