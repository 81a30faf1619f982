// Filters of the index page. A mask kind changes the means shown, which the page brings along for every kind.
"use strict";

(() => {
  const form = document.getElementById("filters");
  const means = JSON.parse(document.getElementById("means").textContent);
  const boards = [...document.querySelectorAll(".board")];

  const remember = (cell) => {
    const value = cell.querySelector(".value");
    cell.whole ??= { text: value.textContent, sort: cell.dataset.sort };
    return value;
  };

  const showMeans = (board, kind) => {
    const ofKind = means[board.id][kind];
    const table = board.querySelector("table");
    table.classList.toggle("filtered", Boolean(ofKind));
    for (const row of board.querySelectorAll("tr[data-row]")) {
      row.querySelectorAll("td.metric").forEach((cell, column) => {
        const value = remember(cell);
        const text = ofKind ? ofKind[row.dataset.row][column] : cell.whole.text;
        const number = Number.parseFloat(text);
        value.textContent = text;
        cell.dataset.sort = ofKind ? (Number.isNaN(number) ? "" : String(number)) : cell.whole.sort;
      });
    }
    table.dispatchEvent(new Event("values-changed"));
  };

  const sayKind = (board, kind) => {
    const note = board.querySelector(".kind-note");
    const count = JSON.parse(note.dataset.kinds)[kind];
    note.hidden = !kind;
    note.textContent = count
      ? `Means over the ${count} of ${note.dataset.total} clips whose mask kind is ${kind}. Ranks, intervals, marks `
        + "and raters' preferences are of all clips and not shown; seconds and memory are of all clips."
      : `No clip of this table is known to have the mask kind ${kind}: its figures are of all clips.`;
  };

  const apply = () => {
    const { task, kind, method } = Object.fromEntries(new FormData(form));
    const part = method.trim().toLowerCase();
    let rows = 0;
    for (const board of boards) {
      board.hidden = Boolean(task) && board.dataset.task !== task;
      showMeans(board, kind);
      sayKind(board, kind);
      for (const row of board.querySelectorAll("tr[data-row]")) {
        row.hidden = !row.dataset.method.toLowerCase().includes(part);
        rows += !row.hidden && !board.hidden;
      }
      for (const card of board.querySelectorAll(".gallery li")) card.hidden = Boolean(kind) && card.dataset.kind !== kind;
    }
    for (const item of document.querySelectorAll(".contents li")) item.hidden = Boolean(task) && item.dataset.task !== task;
    const tables = boards.filter((board) => !board.hidden).length;
    const isFiltered = task || kind || part;
    document.getElementById("filter-status").textContent = isFiltered ? `${rows} rows in ${tables} tables` : "";
  };

  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("reset", () => setTimeout(apply));
  form.addEventListener("submit", (event) => event.preventDefault());
  // A browser keeps what was chosen when the page is loaded again.
  apply();
})();
