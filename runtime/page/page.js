"use strict";
// The list of sections, and tables sorted by the column whose name is pressed.
(() => {
  const heads = [...document.querySelectorAll("h2")], nav = document.querySelector("nav");
  for (const head of heads.length > 1 ? heads : []) {
    const link = document.createElement("a");
    link.href = "#" + head.id;
    link.textContent = head.textContent;
    nav.append(link);
  }
  const order = (a, b, isNumber) => {
    if (!a || !b) return !a - !b; // what is not there comes last
    return isNumber ? parseFloat(a) - parseFloat(b) : a.localeCompare(b, undefined, { numeric: true });
  };
  const sort = (head, column) => {
    const isNumber = head.classList.contains("n"), was = head.ariaSort;
    const isFalling = was === "ascending" || (isNumber && was !== "descending");
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", isFalling ? "descending" : "ascending");
    const body = head.closest("table").tBodies[0], text = (row) => row.cells[column].textContent;
    const rows = [...body.rows].sort((a, b) => {
      const by = order(text(a), text(b), isNumber);
      return isFalling && text(a) && text(b) ? -by : by;
    });
    body.append(...rows);
  };
  for (const head of document.querySelectorAll("thead th")) {
    head.tabIndex = 0;
    head.addEventListener("click", () => sort(head, head.cellIndex));
    head.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        sort(head, head.cellIndex);
      }
    });
  }
})();
