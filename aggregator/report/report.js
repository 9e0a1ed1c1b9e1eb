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
  const found = document.getElementById("found");
  const data = document.getElementById("hosts");
  const hosts = data ? JSON.parse(data.textContent) : null;
  const unseen = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
  const rows = tables.flatMap((table) => [...table.tBodies[0].rows]).map((row) => [row, row.textContent.toLowerCase()]);
  // Names that hold all words, with what is known of each: a host of which no row speaks is told, too.
  const tell = (words) => {
    if (words.length === 0) return [];
    if (hosts === null) return ["This page does not carry all hosts: evenkeel check --host NAME tells of one."];
    const named = hosts.filter(([name]) => words.every((word) => name.toLowerCase().includes(word)));
    const some = named.slice(0, 5).flatMap(([name, verdict, findings], at) => {
      const host = document.createElement("bdi");
      host.textContent = name.replace(unseen, "\ufffd");
      const open = findings === 0 ? "no open finding" : findings === 1 ? "1 open finding" : `${findings} open findings`;
      return [at > 0 ? "; " : "", host, ` is ${verdict}, ${open}`];
    });
    if (named.length === 0) return ["No host is named so."];
    return named.length > 5 ? [...some, `; ${named.length - 5} more hosts are named so`] : some;
  };
  const apply = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const [row, text] of rows) {
      row.hidden = !words.every((word) => text.includes(word));
      count += row.hidden ? 0 : 1;
    }
    for (const table of tables)
      table.closest("section").hidden = words.length > 0 && ![...table.tBodies[0].rows].some((row) => !row.hidden);
    found.replaceChildren(...tell(words));
    shown.textContent = words.length > 0 ? `${count} of ${rows.length} rows` : "";
  };
  filter.addEventListener("input", apply);
  filter.closest(".filter").hidden = rows.length === 0 && !hosts;
  apply();
})();
