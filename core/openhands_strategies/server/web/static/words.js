// Numbers and states as people read them.

/** Dollars; null is an unknown price and never 0. */
export function dollars(value) {
  if (value === null || value === undefined) return "unknown";
  if (value === 0) return "$0";
  if (value < 0.00005) return "< $0.0001";
  return `$${value.toFixed(value < 10 ? 4 : 2)}`;
}

/** Dollars that somebody chose, without needless zeros: $2, $0.50, $0.001. */
export function amount(value) {
  const text = String(Number(value.toFixed(6)));
  return `$${/\.\d$/.test(text) ? `${text}0` : text}`;
}

/** A count of tokens: 950, 12.3k, 4.1M. */
export function tokens(value) {
  const count = value ?? 0;
  if (count < 1000) return String(count);
  if (count < 999_950) return `${(count / 1000).toFixed(1)}k`;
  return `${(count / 1e6).toFixed(1)}M`;
}

/** Seconds: 8.4 s, 2:05 min, 1:02:00 h. */
export function seconds(value) {
  const all = Math.max(0, value ?? 0);
  if (all < 60) return `${all.toFixed(1)} s`;
  const whole = Math.round(all);
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = two(whole % 60);
  return hours ? `${hours}:${two(minutes)}:${rest} h` : `${minutes}:${rest} min`;
}

export function count(number, one, many = `${one}s`) {
  return `${number} ${number === 1 ? one : many}`;
}

// State to its words, its drawing and its tone.
const STATES = {
  working: ["working", "dot", "busy"],
  running: ["working", "dot", "busy"],
  idle: ["about to start", "wait", "calm"],
  waiting: ["waiting", "wait", "warn"],
  waiting_for_confirmation: ["waits for your yes", "wait", "warn"],
  completed: ["done", "check", "good"],
  finished: ["finished", "check", "good"],
  escalated: ["handed back", "up", "warn"],
  limit: ["stopped by a limit", "limit", "warn"],
  failed: ["failed", "cross", "bad"],
  error: ["failed", "cross", "bad"],
  stuck: ["stuck", "cross", "bad"],
  interrupted: ["stopped", "pause", "calm"],
  paused: ["stopped", "pause", "calm"],
  deleting: ["being deleted", "wait", "calm"],
};

/** `{words, drawing, tone}` of a state; an unknown one is shown as it is. */
export function stateOf(state) {
  const [words, drawing, tone] = STATES[state] ?? [String(state || "unknown"), "dot", "calm"];
  return { words, drawing, tone };
}

/** Whether a run with this status may still change by itself. */
export function isOpen(status) {
  return ["running", "idle", "waiting_for_confirmation"].includes(status);
}

/** A message and its hint in one line. */
export function explain(error) {
  return error.hint ? `${error.message} — ${error.hint}` : error.message;
}
