"""The style sheet of the page of `ohs compare --report`, for light and for dark."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root {
  color-scheme: light dark;
  --page: #fcfcfb; --text: #1c1d1f; --soft: #62666d; --line: #dcdee2; --box: #f2f3f5;
  --good: #0b6e4f; --bad: #b3261e; --neutral: #3b5bdb; --range: #9aa0a9;
  --r0: #3b5bdb; --r1: #e08a00; --r2: #0b8f6a; --r3: #b0479a;
  --r4: #3fa7d6; --r5: #c2410c; --r6: #7a8b16; --r7: #6b7280;
  --r8: #0f4c81; --r9: #8d6e00; --r10: #7c3aed; --r11: #d6336c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #17181b; --text: #e9eaec; --soft: #a2a7b0; --line: #353840; --box: #212329;
    --good: #4cc38a; --bad: #ff8a80; --neutral: #8ea6ff; --range: #737a86;
    --r0: #7f97ff; --r1: #ffb547; --r2: #45c69b; --r3: #e08bcd;
    --r4: #7ccbee; --r5: #ff9466; --r6: #b9cb4e; --r7: #a3a9b5;
    --r8: #4d8fcc; --r9: #d4b34a; --r10: #b79aff; --r11: #ff8fb1;
  }
}
body { margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 980px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 26px; margin: 0 0 12px; }
h2 { font-size: 18px; margin: 36px 0 8px; }
h3 { font-size: 14px; margin: 12px 0 4px; }
blockquote { margin: 0 0 16px; padding: 10px 14px; border-left: 4px solid var(--neutral);
  background: var(--box); white-space: pre-wrap; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 0; }
dt, .note { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.note { margin: 4px 0 8px; font-size: 13px; }
svg { display: block; width: 100%; height: auto; }
svg text { font-size: 12.5px; fill: var(--text); }
svg text.tick { fill: var(--soft); font-size: 11.5px; }
svg text.label { fill: var(--soft); }
svg text.name { font-weight: 600; }
.grid { stroke: var(--line); stroke-width: 1; }
.range { stroke: var(--range); stroke-width: 3; stroke-linecap: round; }
.leader { stroke: var(--soft); stroke-width: 1; }
.mean { stroke: var(--text); stroke-width: 2; }
.dot { fill: var(--good); stroke: var(--page); stroke-width: 1.5; }
.dot.neutral { fill: var(--neutral); }
.cross { stroke: var(--bad); stroke-width: 2.5; fill: none; }
.piece { stroke: var(--page); stroke-width: 1; }
.r0 { fill: var(--r0); background: var(--r0); } .r1 { fill: var(--r1); background: var(--r1); }
.r2 { fill: var(--r2); background: var(--r2); } .r3 { fill: var(--r3); background: var(--r3); }
.r4 { fill: var(--r4); background: var(--r4); } .r5 { fill: var(--r5); background: var(--r5); }
.r6 { fill: var(--r6); background: var(--r6); } .r7 { fill: var(--r7); background: var(--r7); }
.r8 { fill: var(--r8); background: var(--r8); } .r9 { fill: var(--r9); background: var(--r9); }
.r10 { fill: var(--r10); background: var(--r10); }
.r11 { fill: var(--r11); background: var(--r11); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; list-style: none;
  padding: 0; margin: 4px 0; }
.legend i { display: inline-block; width: 12px; height: 12px;
  border-radius: 3px; margin-right: 6px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
th, td { padding: 5px 8px; border-bottom: 1px solid var(--line); text-align: left;
  white-space: nowrap; }
thead th { vertical-align: bottom; color: var(--soft); font-weight: 500; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
details { border-bottom: 1px solid var(--line); padding: 6px 0; }
summary { cursor: pointer; }
pre { background: var(--box); padding: 10px; overflow-x: auto; white-space: pre-wrap;
  overflow-wrap: anywhere; font-size: 12.5px; }
"""
