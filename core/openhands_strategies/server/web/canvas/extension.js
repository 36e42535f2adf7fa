// The page inside OpenHands Canvas, which brings the key and the way to its server.

import { mount } from "./app.js";
import { h } from "./dom.js";
import { STYLES } from "./styles.js";
import { Problem, Unreachable } from "./transport.js";

const PAGE = "strategies";
const EVENTS_EVERY = 1_500;

/** What Canvas calls when a person has enabled the extension. */
export function activate(host) {
  if (host.apiVersion !== "1") throw new Error(`Canvas has host API ${host.apiVersion}, not 1.`);
  return host.registerPage(PAGE, ({ container }) => show(host, container));
}

function show(host, container) {
  const place = h("div", {});
  const shadow = place.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLES);
  // Canvas's styles stay outside, and ours inside.
  shadow.adoptedStyleSheets = [sheet];
  const root = h("div", { class: "ohs", "data-scheme": schemeOf(container) });
  shadow.append(root);
  container.append(place);
  const page = mount(root, {
    transport: canvasTransport(host),
    place: ownPlace(root),
    keys: null,
    title: () => {},
  });
  return () => {
    page.leave();
    place.remove();
  };
}

/** Whether Canvas writes light on dark: its theme is its own, not the system's. */
function schemeOf(container) {
  const [red, green, blue] = (getComputedStyle(container).color.match(/[\d.]+/g) ?? [0, 0, 0]).map(
    Number,
  );
  return red + green + blue > 382 ? "dark" : "light";
}

/** The place within the page; the address belongs to Canvas. */
function ownPlace(root) {
  const listeners = [];
  let now = "/";
  function go(to) {
    now = to;
    for (const listener of listeners) listener();
  }
  root.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#/']");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(link.getAttribute("href").slice(1));
  });
  return {
    read: () => now,
    href: (to) => `#${to}`,
    go,
    watch: (listener) => listeners.push(listener),
  };
}

function canvasTransport(host) {
  async function request(method, path, body) {
    try {
      return await host.agentServer.request({ method, path: `/${path}`, body });
    } catch (error) {
      if (typeof error?.status !== "number") throw new Unreachable();
      throw new Problem(error.status, documentOf(error.response));
    }
  }

  /** Canvas has no WebSocket to lend, so the newest events are asked for. */
  function events(id, onEvent) {
    let ended = false;
    let timer = null;
    async function ask() {
      const query = "limit=100&sort_order=TIMESTAMP_DESC";
      const page = await request("GET", `api/conversations/${id}/events/search?${query}`).catch(
        () => null,
      );
      if (ended) return;
      for (const event of (page?.items ?? []).reverse()) onEvent(event);
      timer = setTimeout(ask, document.hidden ? 10 * EVENTS_EVERY : EVENTS_EVERY);
    }
    timer = setTimeout(ask, EVENTS_EVERY);
    return () => {
      ended = true;
      clearTimeout(timer);
    };
  }

  return { request, events };
}

/** A problem document comes as text, because Canvas's client reads only plain JSON. */
function documentOf(answer) {
  if (typeof answer !== "string") return answer;
  try {
    return JSON.parse(answer);
  } catch {
    return null;
  }
}
