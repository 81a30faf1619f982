// Sorting by a click on a column's heading: the best values first, then the other way round; missing values stay last.
"use strict";

(() => {
  const value = (row, column, better) => {
    const cell = row.cells[column];
    if (better === "text") return cell.textContent.trim();
    return cell.dataset.sort === "" ? null : Number(cell.dataset.sort);
  };

  const compare = (a, b, sign) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * (typeof a === "string" ? a.localeCompare(b) : a - b);
  };

  const sort = (table) => {
    const heading = table.tHead.querySelector("[aria-sort]");
    if (!heading) return;
    const column = heading.cellIndex;
    const better = heading.dataset.better;
    const sign = heading.getAttribute("aria-sort") === "ascending" ? 1 : -1;
    for (const body of table.tBodies) {
      const rows = [...body.rows].filter((row) => !row.classList.contains("group"));
      rows.sort((a, b) => compare(value(a, column, better), value(b, column, better), sign) || a.place - b.place);
      body.append(...rows);
    }
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    for (const body of table.tBodies) [...body.rows].forEach((row, place) => { row.place = place; });
    table.tHead.addEventListener("click", (event) => {
      const heading = event.target.closest("button")?.closest("th");
      if (!heading) return;
      const first = heading.dataset.better === "high" ? "descending" : "ascending";
      const second = first === "ascending" ? "descending" : "ascending";
      const order = heading.getAttribute("aria-sort") === first ? second : first;
      for (const other of table.tHead.querySelectorAll("[aria-sort]")) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", order);
      sort(table);
    });
    table.addEventListener("values-changed", () => sort(table));
  }
})();
