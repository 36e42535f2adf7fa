// The session key: typed once, kept for this tab only.

import { fill, h, say } from "./dom.js";

const PLACE = "openhands-strategies-key";

/** `{get, ask, forget}`; `ask` shows a dialog in `root` and resolves when a key was typed. */
export function sessionKeys(root, onChange = () => {}) {
  let asking = null;

  function get() {
    return sessionStorage.getItem(PLACE);
  }

  function forget() {
    sessionStorage.removeItem(PLACE);
    onChange();
  }

  /** @param refused Whether the server has just refused the present key. */
  function ask(refused) {
    if (refused) forget();
    asking ??= typed(root, refused).then((key) => {
      sessionStorage.setItem(PLACE, key);
      asking = null;
      onChange();
    });
    return asking;
  }

  return { get, ask, forget };
}

function typed(root, refused) {
  return new Promise((resolve) => {
    const error = h("p", { class: "error", id: "key-error", role: "alert" });
    const input = h("input", {
      id: "session-key",
      type: "password",
      autocomplete: "off",
      spellcheck: "false",
      autocapitalize: "off",
      required: true,
      "aria-describedby": "key-help key-error",
    });
    const dialog = h("dialog", { class: "key", "aria-labelledby": "key-title" });
    function take(event) {
      event.preventDefault();
      const key = input.value.trim();
      if (!key) {
        say(error, "Type the key first.");
        input.setAttribute("aria-invalid", "true");
        input.focus();
        return;
      }
      dialog.close();
      dialog.remove();
      resolve(key);
    }
    const form = h(
      "form",
      { novalidate: true, on: { submit: take } },
      h("h2", { id: "key-title" }, "Session key"),
      h(
        "p",
        { id: "key-help" },
        "This server asks for its key: the value of ",
        h("code", {}, "OH_SESSION_API_KEYS_0"),
        ". It stays in this tab and goes to this server only.",
      ),
      h("label", { for: "session-key" }, "Key"),
      input,
      error,
      h("button", { type: "submit", class: "primary" }, "Continue"),
    );
    fill(dialog, form);
    // Without a key there is nothing to go back to.
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    root.append(dialog);
    dialog.showModal();
    if (refused) {
      say(error, "The server did not accept this key.");
      input.setAttribute("aria-invalid", "true");
    }
    input.focus();
  });
}
