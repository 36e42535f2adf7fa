"""Style sheet and script of the catalogue page."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root {
  color-scheme: light dark;
  --page: #fcfcfb; --text: #1c1d1f; --soft: #5b6067; --line: #dcdee2; --box: #f2f3f5;
  --link: #2b4bc4; --good: #0b6e4f; --bad: #b3261e; --mark: #e8ecfb;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #17181b; --text: #e9eaec; --soft: #a9aeb7; --line: #353840; --box: #212329;
    --link: #9db1ff; --good: #4cc38a; --bad: #ff8a80; --mark: #2a3150;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 900px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 28px; margin: 0 0 4px; }
h2 { font-size: 20px; margin: 0; overflow-wrap: anywhere; }
h3 { font-size: 15px; margin: 16px 0 4px; }
p { margin: 4px 0 8px; overflow-wrap: anywhere; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 3px; }
.note, dt, thead th { color: var(--soft); }
.search { position: sticky; top: 0; padding: 12px 0; background: var(--page);
  border-bottom: 1px solid var(--line); }
.search label { display: block; font-weight: 600; }
.search input { width: 100%; padding: 8px 10px; font: inherit; color: inherit;
  background: var(--box); border: 1px solid var(--soft); border-radius: 6px; }
[hidden] { display: none; }
article { padding: 24px 0 16px; border-bottom: 1px solid var(--line); scroll-margin-top: 96px; }
article header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 12px; }
h2 a { color: inherit; text-decoration: none; }
h2 a:hover { text-decoration: underline; }
.version { color: var(--soft); font-size: 14px; }
.tags { display: flex; flex-wrap: wrap; gap: 6px; list-style: none; margin: 6px 0; padding: 0; }
.tags li { padding: 1px 9px; border-radius: 10px; background: var(--mark); font-size: 13px; }
dl { display: grid; grid-template-columns: minmax(96px, max-content) 1fr; gap: 3px 16px;
  margin: 10px 0; font-size: 14.5px; }
dd { margin: 0; overflow-wrap: anywhere; min-width: 0; }
.good { color: var(--good); }
.bad { color: var(--bad); }
code { font: 0.92em ui-monospace, "SF Mono", Menlo, Consolas, monospace;
  overflow-wrap: anywhere; }
details { margin: 8px 0; }
summary { cursor: pointer; font-weight: 600; font-size: 15px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { padding: 5px 10px 5px 0; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; }
thead th { font-weight: 500; }
details ul { margin: 4px 0; padding-left: 20px; font-size: 14.5px; }
@media (max-width: 520px) {
  dl { grid-template-columns: 1fr; }
  dd { margin-bottom: 6px; }
}
@media print { .search { display: none; } }
"""

# Without `<`, `>` and `&`: HTML reads a script as it stands.
SCRIPT: Final = """
(function () {
  "use strict";
  var field = document.getElementById("search");
  var told = document.getElementById("told");
  var all = Array.from(document.querySelectorAll("article"));
  var words = new Map(all.map(function (one) {
    return [one, one.textContent.toLowerCase()];
  }));
  function search() {
    var wanted = field.value.toLowerCase().split(/\\s+/).filter(Boolean);
    var found = 0;
    all.forEach(function (one) {
      var fits = wanted.every(function (word) { return words.get(one).includes(word); });
      one.hidden = !fits;
      found += fits ? 1 : 0;
    });
    var noun = all.length === 1 ? " strategy" : " strategies";
    told.textContent = wanted.length ? found + " of " + all.length + noun : "";
  }
  field.closest("form").hidden = false;
  field.closest("form").addEventListener("submit", function (event) { event.preventDefault(); });
  field.addEventListener("input", search);
  search();
})();
"""
