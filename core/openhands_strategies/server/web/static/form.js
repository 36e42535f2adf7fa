// One strategy: what it brings along, the form made from its schema, the plan, the start.

import { capabilityPanel } from "./capabilities.js";
import { fill, h, icon } from "./dom.js";
import { origin } from "./list.js";
import { planPanel } from "./plan.js";
import { bodyOf, fieldsOf, keep } from "./questions.js";
import { explain } from "./words.js";

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
    build(context, body, { strategy, others, profiles: profiles.profiles ?? [] });
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

function build(context, body, { strategy, others, profiles }) {
  const fields = fieldsOf(strategy, others, profiles);
  const summary = h("div", { class: "summary", tabindex: "-1", hidden: true });
  const plan = h("div", { class: "plan" });
  const preview = h("button", { type: "button" }, "Preview the plan");
  const start = h("button", { type: "submit", class: "primary" }, icon("play"), "Start");
  const buttons = [preview, start];

  async function send(what, use) {
    const wrong = fields.all.filter((one) => one.verify());
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
    const path = error.field ?? "";
    const field = fields.all.find((one) => path === one.path || path.startsWith(`${one.path}.`));
    const text = explain(error);
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
    for (const [field] of found) field?.element.closest("details")?.setAttribute("open", "");
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
    ),
    fields.params.length > 0 &&
      h(
        "fieldset",
        { class: "params" },
        h("legend", {}, "Parameters"),
        fields.params.map((one) => one.element),
      ),
    fields.overlays.length > 0 && overlays(fields.overlays),
    h("div", { class: "actions" }, buttons),
  );
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
          h("div", {}, form, plan),
        ),
  );
}

function overlays(fields) {
  return h(
    "details",
    { class: "overlays" },
    h("summary", {}, "Lay other strategies on top"),
    h(
      "fieldset",
      {},
      h("legend", {}, "On top, in this order"),
      fields.map((one) => one.element),
    ),
  );
}
