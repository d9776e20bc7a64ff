"use strict";
// Sorting, filtering and copying; without this script the page is the same, only that it does none of them.
const words = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const tables = [...document.querySelectorAll("table")].map((table) => {
  const body = table.tBodies[0];
  // A gap between the cells, so that no word is found across them.
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
    // What is empty comes last, either way.
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

// "active" is no part of "Inactive": outside of names and ids, a text counts from the beginning of a word.
function begins(text, word) {
  if (!letter.test(word[0])) return text.includes(word);
  let at = text.indexOf(word);
  while (at > 0 && letter.test(text[at - 1])) at = text.indexOf(word, at + 1);
  return at >= 0;
}

function filter() {
  const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  document.documentElement.classList.toggle("filtering", wanted.length > 0);
  let left = 0;
  let all = 0;
  for (const one of tables) {
    let here = 0;
    for (const { row, text, names } of one.rows) {
      const hit = wanted.every((word) => names.includes(word) || begins(text, word));
      row.hidden = !hit;
      here += hit;
    }
    const total = one.rows.length.toLocaleString("en");
    one.count.textContent = wanted.length ? `${here.toLocaleString("en")} of ${total}` : total;
    left += here;
    all += one.rows.length;
  }
  shown.textContent = wanted.length ? `${left.toLocaleString("en")} of ${all.toLocaleString("en")} ${all === 1 ? "row" : "rows"}` : "";
}

let pending = 0;
input.addEventListener("input", () => {
  clearTimeout(pending);
  pending = setTimeout(filter, 80);
});
const form = document.getElementById("search");
form.addEventListener("submit", (event) => event.preventDefault());
form.hidden = false;
if (input.value) filter(); // a browser may bring the text back on reload

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
