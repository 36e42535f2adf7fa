// The account of a run: one row for each role and model, and their sum.

import { h } from "./dom.js";
import { dollars, seconds, stateOf, tokens } from "./words.js";

const HEADS = ["Role", "Model", "State", "Calls", "In", "Out", "Cached", "Time", "Cost"];

export function rolesTable(report) {
  const sum = (key) => report.roles.reduce((all, row) => all + (row[key] ?? 0), 0);
  return h(
    "table",
    {},
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        HEADS.map((head) => h("th", { scope: "col" }, head)),
      ),
    ),
    h("tbody", {}, report.roles.map(row)),
    h(
      "tfoot",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "row", colspan: 3 }, "All"),
        [
          sum("calls"),
          tokens(sum("input_tokens")),
          tokens(sum("output_tokens")),
          tokens(sum("cached_tokens")),
          "",
          dollars(report.cost_usd),
        ].map((text) => h("td", {}, String(text))),
      ),
    ),
  );
}

function row(one) {
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, one.role),
    h("td", { class: "model" }, one.model),
    h("td", { class: "words" }, stateOf(one.state).words),
    [
      one.calls,
      tokens(one.input_tokens),
      tokens(one.output_tokens),
      tokens(one.cached_tokens),
      seconds(one.seconds),
      dollars(one.cost_usd),
    ].map((text) => h("td", {}, String(text))),
  );
}
