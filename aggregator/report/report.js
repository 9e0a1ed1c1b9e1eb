"use strict";
(() => {
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const tables = [...document.querySelectorAll("main section > table")];

  for (const table of tables) {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const key = (row) => row.cells[column].dataset.order ?? row.cells[column].textContent.trim();
        const rows = [...body.rows].map((row) => [key(row), row]);
        rows.sort((a, b) => collator.compare(a[0], b[0]) * (down ? -1 : 1));
        body.append(...rows.map((pair) => pair[1]));
      });
    });
  }

  const filter = document.getElementById("filter");
  const shown = document.getElementById("shown");
  const rows = tables.flatMap((table) => [...table.tBodies[0].rows]).map((row) => [row, row.textContent.toLowerCase()]);
  const apply = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const [row, text] of rows) {
      row.hidden = !words.every((word) => text.includes(word));
      count += row.hidden ? 0 : 1;
    }
    for (const table of tables)
      table.closest("section").hidden = words.length > 0 && ![...table.tBodies[0].rows].some((row) => !row.hidden);
    shown.textContent = words.length > 0 ? `${count} of ${rows.length} rows` : "";
  };
  filter.addEventListener("input", apply);
  filter.closest(".filter").hidden = rows.length === 0;
  apply();
})();
