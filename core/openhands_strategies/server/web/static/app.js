// The frame of the page, and which view stands in it.

import { fill, h, say } from "./dom.js";
import { formView } from "./form.js";
import { listView } from "./list.js";
import { runView } from "./run.js";

const RUN = /^\/run\/([0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12})$/i;
const STRATEGY = /^\/strategy\/(.+)$/;

/**
 * Show the page in an element.
 *
 * @param root The element.
 * @param outside `{transport, place, keys, title}`: the way to the server, where the page
 *   stands (`read`, `href`, `go`, `watch`), the key's keeper or null, and what to do with
 *   a view's title.
 */
export function mount(root, outside) {
  const status = h("p", { class: "unseen", role: "status", "aria-live": "polite" });
  const main = h("main", { id: "view", tabindex: "-1" });
  const forget = h(
    "button",
    { type: "button", class: "quiet", hidden: true, on: { click: () => forgetKey() } },
    "Forget key",
  );
  const context = {
    request: outside.transport.request,
    events: outside.transport.events,
    href: outside.place.href,
    go: outside.place.go,
    announce: (text) => say(status, text),
  };
  let view = null;

  function forgetKey() {
    outside.keys.forget();
    show(false);
  }

  function keyChanged() {
    forget.hidden = !outside.keys || outside.keys.get() === null;
  }

  /** @param moved Whether the user went here, so that the focus goes along. */
  function show(moved) {
    view?.leave?.();
    view = viewAt(outside.place.read(), context);
    fill(main, view.element);
    outside.title(`${view.title} · Strategies`);
    if (!moved) return;
    context.announce("");
    scrollTo(0, 0);
    (main.querySelector("h1") ?? main).focus();
  }

  fill(
    root,
    // Not a link: the address after `#` says which view is shown.
    h(
      "button",
      { type: "button", class: "skip", on: { click: () => main.focus() } },
      "Skip to the content",
    ),
    h(
      "header",
      { class: "top" },
      h(
        "a",
        { class: "brand", href: context.href("/") },
        h("span", { class: "mark" }),
        "Strategies",
      ),
      forget,
    ),
    main,
    status,
  );
  outside.place.watch(() => show(true));
  keyChanged();
  show(false);
  return { keyChanged, leave: () => view?.leave?.() };
}

function viewAt(address, context) {
  const run = RUN.exec(address);
  if (run) return runView(context, run[1]);
  const strategy = STRATEGY.exec(address);
  if (strategy) return formView(context, decoded(strategy[1]));
  return listView(context);
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
