"use strict";
// Sorting, filtering and copying. Without this script, the report is complete but not interactive.
const words = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const tables = [...document.querySelectorAll("table")].map((table) => {
  const body = table.tBodies[0];
  // A separator between cells, so that no word matches across them.
  const text = (cells) => [...cells].map((cell) => cell.textContent).join("\n").toLowerCase();
  const rows = [...body.rows].map((row) => {
    return { row, text: text(row.cells), names: text(row.querySelectorAll("th, .mono")) };
  });
  const count = document.querySelector(`[data-of="${table.id.replace("table-", "")}"]`);
  return { table, body, rows, count };
});

function value(row, column, isNumber) {
  const text = row.cells[column].textContent.trim();
  if (text === "") return null;
  return isNumber ? Number(text.replaceAll(",", "")) : text;
}

function sort(one, head, column) {
  const descending = head.getAttribute("aria-sort") === "ascending";
  const isNumber = head.classList.contains("number");
  const sorted = one.rows.map((entry) => ({ entry, value: value(entry.row, column, isNumber) }));
  sorted.sort((left, right) => {
    // Empty values are last in both directions.
    if (left.value === null || right.value === null) return (left.value === null) - (right.value === null);
    const order = isNumber ? left.value - right.value : words.compare(left.value, right.value);
    return descending ? -order : order;
  });
  for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", descending ? "descending" : "ascending");
  one.rows = sorted.map(({ entry }) => entry);
  one.body.append(...one.rows.map(({ row }) => row));
}

for (const one of tables) {
  [...one.table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => sort(one, head, column));
  });
}

const input = document.getElementById("filter");
const shown = document.getElementById("shown");

const letter = /[\p{L}\p{N}]/u;

// Outside of names and ids, matches start at the beginning of a word, so "active" does not match "Inactive".
function begins(text, word) {
  if (!letter.test(word[0])) return text.includes(word);
  let at = text.indexOf(word);
  while (at > 0 && letter.test(text[at - 1])) at = text.indexOf(word, at + 1);
  return at >= 0;
}

function filter() {
  const terms = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  document.documentElement.classList.toggle("filtering", terms.length > 0);
  let left = 0;
  let all = 0;
  for (const one of tables) {
    let here = 0;
    for (const { row, text, names } of one.rows) {
      const hit = terms.every((word) => names.includes(word) || begins(text, word));
      row.hidden = !hit;
      here += hit;
    }
    const total = one.rows.length.toLocaleString("en");
    one.count.textContent = terms.length ? `${here.toLocaleString("en")} of ${total}` : total;
    left += here;
    all += one.rows.length;
  }
  shown.textContent = terms.length ? `${left.toLocaleString("en")} of ${all.toLocaleString("en")} ${all === 1 ? "row" : "rows"}` : "";
}

let pending = 0;
input.addEventListener("input", () => {
  clearTimeout(pending);
  pending = setTimeout(filter, 80);
});
const form = document.getElementById("search");
form.addEventListener("submit", (event) => event.preventDefault());
form.hidden = false;
if (input.value) filter(); // browsers may restore the text on reload

function copy(button) {
  const code = button.previousElementSibling;
  navigator.clipboard.writeText(code.textContent).then(
    () => {
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    },
    () => getSelection().selectAllChildren(code),
  );
}

if (navigator.clipboard) {
  for (const code of document.querySelectorAll(".command")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.title = `Copy: ${code.textContent}`;
    code.after(button);
  }
  document.querySelector("main").addEventListener("click", (event) => {
    if (event.target.matches(".copy")) copy(event.target);
  });
}
