// One strategy: what it brings along, the form made from its schema, the plan, the start.

import { capabilityPanel } from "./capabilities.js";
import { fill, h, icon } from "./dom.js";
import { isOverlay, origin } from "./list.js";
import { planPanel } from "./plan.js";
import { bodyOf, fieldAt, fieldsOf, keep } from "./questions.js";
import { explain } from "./words.js";

// What to do in this form where the server says what to do in a request.
const HINTS = {
  price_unknown: "write MODEL=IN,OUT under Prices, in dollars for a million tokens",
};

export function formView(context, name) {
  const body = h("div", {}, h("p", { class: "soft", role: "status" }, "Asking the server …"));
  const element = h(
    "div",
    { class: "strategy" },
    h("a", { class: "back", href: context.href("/") }, icon("back"), "All strategies"),
    h("h1", { tabindex: "-1" }, name),
    body,
  );
  load(context, name, body);
  return { element, title: name };
}

async function load(context, name, body) {
  try {
    const [strategy, all, profiles] = await Promise.all([
      context.request("GET", `api/strategies/${encodeURIComponent(name)}`),
      context.request("GET", "api/strategies"),
      context.request("GET", "api/profiles").catch(() => ({ profiles: [] })),
    ]);
    const others = all.strategies.filter((one) => !one.error && one.name !== name);
    fill(
      body,
      h("p", { class: "lead" }, strategy.description ?? ""),
      h("p", { class: "origin" }, origin(strategy)),
      strategy.error
        ? problem(explain(strategy.error))
        : h(
            "div",
            { class: "columns" },
            capabilityPanel(strategy.capabilities, strategy.trusted),
            isOverlay(strategy)
              ? layingPanel(strategy, others, context.href)
              : startForm(context, strategy, others.filter(isOverlay), profiles.profiles ?? []),
          ),
    );
  } catch (error) {
    // A name with a `/` in it gets as far as the server's own "Not Found".
    fill(
      body,
      problem(error.status === 404 ? `This server has no strategy “${name}”.` : explain(error)),
    );
  }
}

function problem(text) {
  return h("p", { class: "problem", role: "alert" }, icon("cross"), h("span", {}, text));
}

/** In place of a form: an overlay does no work alone. */
function layingPanel(strategy, others, href) {
  const bases = others.filter((one) => !isOverlay(one));
  return h(
    "section",
    { class: "panel", "aria-labelledby": "laying-title" },
    h("h2", { id: "laying-title" }, "Laid on top of other strategies"),
    h(
      "p",
      {},
      `It only adds to another strategy. Choose that one, and tick ${strategy.name} in its form, ` +
        "under “Lay on top”.",
    ),
    h(
      "ul",
      { class: "plain" },
      bases.map((one) =>
        h("li", {}, h("a", { href: href(`/strategy/${encodeURIComponent(one.name)}`) }, one.name)),
      ),
    ),
  );
}

function startForm(context, strategy, overlays, profiles) {
  const fields = fieldsOf(strategy, overlays, profiles);
  const summary = h("div", { class: "summary", tabindex: "-1", hidden: true });
  const plan = h("div", { class: "plan" });
  const preview = h("button", { type: "button" }, "Preview the plan");
  const start = h("button", { type: "submit", class: "primary" }, icon("play"), "Start");
  const buttons = [preview, start];

  async function send(what, use) {
    const wrong = fields.all().filter((one) => one.verify());
    if (wrong.length > 0) {
      showWrong(wrong.map((one) => [one, one.verify()]));
      return;
    }
    showWrong([]);
    for (const button of buttons) button.disabled = true;
    context.announce(what === "plan" ? "Making the plan." : "Starting.");
    try {
      await use(
        await context.request(
          "POST",
          `api/strategies/${encodeURIComponent(strategy.name)}/${what}`,
          bodyOf(fields),
        ),
      );
    } catch (error) {
      refuse(error);
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  }

  function refuse(error) {
    const field = fieldAt(fields, error.field ?? "");
    const text = explain({ message: error.message, hint: HINTS[error.code] ?? error.hint });
    field?.fail(text);
    showWrong([[field, text]]);
  }

  /** Say at the top what is wrong, with ways to the fields, and go there. */
  function showWrong(found) {
    summary.hidden = found.length === 0;
    if (summary.hidden) return;
    const one = ([field, text]) =>
      h(
        "li",
        {},
        field
          ? h("button", { type: "button", class: "link", on: { click: () => field.focus() } }, text)
          : text,
      );
    fill(
      summary,
      h("h2", {}, icon("cross"), "This cannot be sent yet"),
      h("ul", {}, found.map(one)),
    );
    for (const [field] of found) {
      const folded = field?.element.closest("details");
      if (folded) folded.open = true;
    }
    summary.focus();
    summary.scrollIntoView({ block: "nearest" });
  }

  preview.addEventListener("click", () =>
    send("plan", (document) => {
      const panel = planPanel(document);
      fill(plan, panel);
      context.announce("The plan is below the form.");
      panel.querySelector("h2").focus();
    }),
  );
  const form = h(
    "form",
    {
      novalidate: true,
      "aria-label": `Start ${strategy.name}`,
      on: {
        submit: (event) => {
          event.preventDefault();
          send("start", (document) => {
            keep(fields.workspace.read());
            context.go(`/run/${document.conversation_id}`);
          });
        },
        input: () => fill(plan),
      },
    },
    summary,
    h(
      "fieldset",
      {},
      h("legend", {}, "Task"),
      [fields.task, fields.workspace, fields.profile, fields.budget].map((one) => one.element),
      h(
        "details",
        { class: "more" },
        h("summary", {}, "Prices that nobody knows"),
        fields.prices.element,
      ),
    ),
    fields.params.length > 0 &&
      h(
        "fieldset",
        { class: "params" },
        h("legend", {}, "Parameters"),
        fields.params.map((one) => one.element),
      ),
    fields.over.element,
    h("div", { class: "actions" }, buttons),
  );
  return h("div", {}, form, plan);
}
