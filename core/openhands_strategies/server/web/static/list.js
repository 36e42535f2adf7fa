// All strategies of the server, with search, and the runs that were started lately.

import { fill, h, icon, say } from "./dom.js";
import { brings } from "./capabilities.js";
import { count, explain, stateOf } from "./words.js";

const RUNS_ASKED = 100;
const RUNS_SHOWN = 6;

export function listView({ request, href, announce }) {
  const cards = h("ul", { class: "cards", "aria-labelledby": "strategies-title" });
  const found = h("p", { class: "soft", role: "status" }, "Asking the server …");
  const search = h("input", {
    type: "search",
    id: "search",
    autocomplete: "off",
    spellcheck: "false",
    placeholder: "Name, description, tool …",
    on: { input: () => draw() },
  });
  const runs = h("section", { class: "recent", "aria-labelledby": "runs-title", hidden: true });
  let strategies = null;

  function draw() {
    if (strategies === null) return;
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = strategies.filter((one) => words.every((word) => textOf(one).includes(word)));
    fill(
      cards,
      shown.map((one) => card(one, href)),
    );
    const broken = shown.filter((one) => one.error).length;
    const all = count(shown.length, "strategy", "strategies");
    say(
      found,
      shown.length === 0
        ? "No strategy matches."
        : broken
          ? `${all}, ${broken} of them broken`
          : all,
    );
  }

  async function load() {
    try {
      strategies = (await request("GET", "api/strategies")).strategies;
      draw();
    } catch (error) {
      say(found, explain(error));
      announce(error.message);
      return;
    }
    // Older runs are an extra: without them the list is still whole.
    const page = await request("GET", `api/conversations/search?limit=${RUNS_ASKED}`).catch(
      () => null,
    );
    const ours = (page?.items ?? []).filter((one) => one.tags?.strategy).slice(0, RUNS_SHOWN);
    if (ours.length === 0) return;
    runs.hidden = false;
    fill(
      runs,
      h("h2", { id: "runs-title" }, "Recent runs"),
      h(
        "ul",
        {},
        ours.map((one) => recent(one, href)),
      ),
    );
  }

  load();
  const element = h(
    "div",
    { class: "list" },
    h("h1", { id: "strategies-title", tabindex: "-1" }, "Choose a strategy"),
    h(
      "p",
      { class: "lead" },
      "A strategy says which agents work on your task, on which models, and within which limits.",
    ),
    h("search", {}, h("label", { for: "search" }, "Search"), search, found),
    cards,
    runs,
  );
  return { element, title: "All" };
}

function textOf(one) {
  const { tools = [], agents = [], skills = [] } = one.capabilities ?? {};
  const kind = isOverlay(one) ? "overlay" : "";
  const parts = [one.name, one.description, kind, ...(one.tags ?? []), ...tools, ...agents];
  return [...parts, ...skills.map((skill) => skill.name)].join(" ").toLowerCase();
}

function card(one, href) {
  const name = one.error
    ? one.name
    : h("a", { href: href(`/strategy/${encodeURIComponent(one.name)}`) }, one.name);
  return h(
    "li",
    { class: one.error ? "card broken" : "card" },
    h("h2", {}, name),
    h("p", {}, one.description ?? ""),
    isOverlay(one) &&
      h("p", {}, h("span", { class: "state" }, "Overlay"), " laid on top of others"),
    one.error ? problem(one.error) : h("p", { class: "brings" }, brings(one.capabilities)),
    h("p", { class: "origin" }, origin(one)),
  );
}

function problem(error) {
  return h(
    "p",
    { class: "problem" },
    icon("cross"),
    h(
      "span",
      {},
      h("strong", {}, "Cannot be started: "),
      explain(error),
      " ",
      h("code", {}, error.code),
    ),
  );
}

/** Whether it does no work alone and only adds to another strategy. */
export function isOverlay(one) {
  return one.overlay === true;
}

/** Where a strategy comes from, in a few words. */
export function origin(one) {
  const source = one.source ?? {};
  if (one.commit) return `${source.url ?? "git"} at ${one.commit.slice(0, 10)}`;
  if (source.type === "distribution") return `${source.name} ${source.version ?? ""}`.trim();
  return source.path ?? one.reference ?? "";
}

function recent(one, href) {
  const { words, tone } = stateOf(one.execution_status);
  const started = new Date(one.created_at);
  return h(
    "li",
    {},
    h(
      "a",
      { href: href(`/run/${one.id}`) },
      one.tags.strategy,
      h("span", { class: "unseen" }, `, started ${started.toLocaleString()}`),
    ),
    h("span", { class: `state ${tone}` }, words),
    h("time", { datetime: one.created_at, class: "soft" }, started.toLocaleString()),
  );
}
