// The way to the server: requests with the key in a header, and the conversation's events.

/** An answer that refuses: `code`, `hint` and `field` as the server's problem document. */
export class Problem extends Error {
  constructor(status, body) {
    super(messageOf(status, body));
    this.status = status;
    this.code = body?.code ?? "";
    this.hint = body?.hint ?? "";
    this.field = body?.field ?? "";
  }
}

/** Nothing answered at all. */
export class Unreachable extends Error {
  constructor() {
    super("The server does not answer.");
    this.hint = "See whether it runs; the page goes on as soon as it does.";
  }
}

function messageOf(status, body) {
  if (typeof body?.message === "string") return body.message;
  const detail = body?.detail;
  if (typeof detail === "string") return detail;
  if (Array.isArray(detail) && detail[0]?.msg) return String(detail[0].msg);
  return `The server answered ${status}.`;
}

/**
 * A transport for the server that this page comes from.
 *
 * @param base Address of the server's root, with a `/` at the end.
 * @param keys `{get, ask}`: the key or null, and a promise for a new one.
 */
export function ownServer(base, keys) {
  async function request(method, path, body) {
    for (;;) {
      const key = keys.get();
      const answer = await send(method, path, body, key);
      if (answer.status === 401) {
        // Another request may have got a new key while this one was under way.
        if (keys.get() === key) await keys.ask(key !== null);
        continue;
      }
      const document = await answer.json().catch(() => null);
      if (!answer.ok) throw new Problem(answer.status, document);
      return document;
    }
  }

  async function send(method, path, body, key) {
    const headers = { Accept: "application/json" };
    if (key !== null) headers["X-Session-API-Key"] = key;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    try {
      return await fetch(new URL(path, base), {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        credentials: "omit",
        cache: "no-store",
        referrerPolicy: "no-referrer",
      });
    } catch {
      throw new Unreachable();
    }
  }

  return {
    request,
    events: (id, onEvent) => follow(base, keys, id, onEvent),
  };
}

/** Follow a conversation's events until the returned function is called. */
function follow(base, keys, id, onEvent) {
  const address = new URL(`sockets/events/${id}?resend_mode=all`, base);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  let socket = null;
  let timer = null;
  let pause = 500;
  let ended = false;

  function open() {
    socket = new WebSocket(address);
    socket.addEventListener("open", () => {
      // The key goes in the first message, so that it stands in no address and no log.
      const key = keys.get();
      if (key !== null) socket.send(JSON.stringify({ type: "auth", session_api_key: key }));
    });
    socket.addEventListener("message", ({ data }) => {
      pause = 500;
      try {
        onEvent(JSON.parse(data));
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
      }
    });
    socket.addEventListener("close", () => {
      if (ended) return;
      timer = setTimeout(open, pause);
      pause = Math.min(pause * 2, 30_000);
    });
  }

  open();
  return () => {
    ended = true;
    clearTimeout(timer);
    socket.close();
  };
}
