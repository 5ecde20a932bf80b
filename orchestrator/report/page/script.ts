/** The page's only script: search, theme, keyboard, and open folds in print. Without it everything is there and readable. */
export const SCRIPT = `
(function () {
  "use strict";
  var search = document.getElementById("search"), count = document.getElementById("found"), root = document.documentElement;
  var rows = Array.prototype.slice.call(document.querySelectorAll("[data-search]"));
  var sections = Array.prototype.slice.call(document.querySelectorAll("main > section"));
  function find() {
    var words = search.value.toLowerCase().split(/\\s+/).filter(Boolean), found = 0;
    rows.forEach(function (row) {
      var text = row.textContent.toLowerCase(), isIn = words.every(function (word) { return text.indexOf(word) >= 0; });
      row.hidden = !isIn;
      if (isIn) found++;
      var fold = row.closest("details");
      if (fold && words.length > 0 && isIn) fold.open = true;
    });
    count.textContent = words.length === 0 ? "" : found + " of " + rows.length + " lines";
  }
  search.addEventListener("input", find);
  function theme() {
    var isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = isDark ? "light" : "dark";
  }
  document.getElementById("theme").addEventListener("click", theme);
  function folds(open) { document.querySelectorAll("details").forEach(function (fold) { fold.open = open; }); }
  document.getElementById("folds").addEventListener("click", function () { folds(document.querySelector("details:not([open])") !== null); });
  addEventListener("beforeprint", function () { folds(true); });
  addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && document.activeElement === search) { search.value = ""; find(); search.blur(); return; }
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) return;
    if (event.key === "/") { event.preventDefault(); search.focus(); }
    else if (event.key === "t") theme();
    else if (event.key === "e") folds(document.querySelector("details:not([open])") !== null);
    else if (/^[1-9]$/.test(event.key) && sections[event.key - 1]) {
      sections[event.key - 1].scrollIntoView();
      sections[event.key - 1].querySelector("h2").focus({ preventScroll: true });
    }
  });
})();
`;
