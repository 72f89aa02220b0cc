// A long table can be filtered by typing, and sorted by its heads. Without this script it is a table.

const LONG = 16; // rows

function makeSearchable(table) {
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const filter = document.createElement("input");
  const count = document.createElement("output");
  const bar = document.createElement("div");
  bar.className = "table-filter";
  filter.type = "search";
  filter.placeholder = filter.ariaLabel = "Show rows with these words";
  bar.append(filter, count);
  (table.closest(".pst-scrollable-table-container") ?? table).before(bar);
  filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
    count.textContent = words.length ? `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows` : "";
  });
  [...table.tHead.rows[0].cells].forEach((head, place) => {
    if (!head.textContent.trim()) return;
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const up = head.ariaSort !== "ascending";
      for (const other of table.tHead.rows[0].cells) other.ariaSort = null;
      head.ariaSort = up ? "ascending" : "descending";
      const sorted = [...rows].sort((a, b) => compare(a.cells[place], b.cells[place]) * (up ? 1 : -1));
      body.append(...sorted);
    });
  });
}

// By the first number of both cells if there is one, else by their text.
function compare(a, b) {
  const [x, y] = [a, b].map((cell) => cell.textContent.trim());
  const [m, n] = [x, y].map((text) => parseFloat(text.replace("−", "-").match(/-?\d[\d,]*\.?\d*/)?.[0].replaceAll(",", "")));
  return Number.isNaN(m) || Number.isNaN(n) ? x.localeCompare(y) : m - n;
}

document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll(".bd-article table")) {
    if (table.tHead && table.tBodies.length === 1 && table.tBodies[0].rows.length >= LONG && !table.matches(".grid"))
      makeSearchable(table);
  }
});
