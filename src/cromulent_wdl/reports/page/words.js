"use strict";
/* The data of the page, and how its numbers are written. Nothing here touches the page. */
const DATA = JSON.parse(document.getElementById("data").textContent);
const CALLS = DATA.calls;
const COUNT = CALLS.path.length;
const OK = DATA.endings.indexOf("ok");
const END = Math.max(DATA.now || 0, 0.001);

/* The attempts of each call, in order. */
const ATTEMPTS = Array.from({ length: COUNT }, () => []);
for (const [call, number, placed, pull, pulled, started, ended, ending, status] of DATA.attempts) {
  ATTEMPTS[call].push({ number, placed, pull, pulled, started, ended, ending, status });
}

const COLOURS = {
  ok: "--ok", failed: "--failed", lost: "--failed", refused: "--failed", deadline: "--failed", budget: "--failed", stopped: "--stopped",
  oom: "--oom", disk_full: "--disk", spot: "--spot", no_shell: "--place", pull_transient: "--place",
  pull_permanent: "--place", build: "--place", mount: "--place", network: "--place", capacity: "--place",
  quota: "--place", throttled: "--place",
};
const WORDS = {
  ok: "went well", failed: "failed", oom: "out of memory", disk_full: "out of disk", spot: "lost its Spot capacity",
  stopped: "stopped with the run", lost: "lost", deadline: "took too long", budget: "no money left", refused: "refused", no_shell: "no shell",
  pull_transient: "image not pulled", pull_permanent: "no such image", build: "image not built", mount: "not mounted",
  network: "no network", capacity: "no room", quota: "over quota", throttled: "throttled",
};
const MARKS = { ok: "✔", cached: "✔", failed: "✘", lost: "✘", stopped: "■", running: "●", waiting: "○", queued: "○" };

function duration(seconds) {
  if (seconds == null) return "";
  const whole = Math.round(seconds), pad = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
  return hours ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}

function bytes(count) {
  if (count == null) return "";
  for (const unit of ["bytes", "KB", "MB", "GB"]) {
    if (count < 999.95) return `${unit === "bytes" ? Math.round(count) : +count.toFixed(1)} ${unit}`;
    count /= 1000;
  }
  return `${+count.toFixed(1)} TB`;
}

/* Memory in the units in which it was asked for, or what it is a part of was: whole MiB are binary. */
function memory(count, of) {
  if (count == null || (of || count) % 1024 ** 2 || count < 1024) return bytes(count);
  const KIB = 1024, MIB = KIB ** 2, GIB = KIB ** 3;
  if (count < MIB - KIB / 2) return `${Math.round(count / KIB)} KiB`;
  return count < GIB - MIB / 20 ? `${+(count / MIB).toFixed(1)} MiB` : `${+(count / GIB).toFixed(1)} GiB`;
}

function dollars(amount) {
  if (amount == null) return "";
  if (amount > 0 && amount < 0.000001) return "< $0.000001";
  return `$${amount.toFixed(amount >= 0.995 || amount === 0 ? 2 : amount >= 0.001 ? 4 : 6)}`;
}

/* When a call was ready, when its last command began, when it ended or, under way, now. */
function ready(call) { return CALLS.ready[call] ?? CALLS.ended[call] ?? END; }
function ended(call) { return CALLS.ended[call] ?? (isOver(call) ? ready(call) : END); }
function began(call) {
  for (const attempt of [...ATTEMPTS[call]].reverse()) if (attempt.started != null) return attempt.started;
  return null;
}
function isOver(call) { return !["running", "waiting", "queued"].includes(state(call)); }
function took(call) { return CALLS.ready[call] == null ? null : Math.max(0, ended(call) - ready(call)); }
function ran(call) {
  const total = ATTEMPTS[call].reduce((sum, a) => sum + (a.started == null ? 0 : (a.ended ?? END) - a.started), 0);
  return ATTEMPTS[call].some((a) => a.started != null) ? total : null;
}
function waited(call) { const time = took(call), busy = ran(call); return time == null ? null : Math.max(0, time - (busy || 0)); }
function state(call) { return DATA.states[CALLS.state[call]]; }
function ending(call) { return CALLS.ending[call] < 0 ? "" : DATA.endings[CALLS.ending[call]]; }
function name(call) { return DATA.names[CALLS.name[call]]; }
function place(call) { return DATA.places[CALLS.place[call]]; }
function image(call) { return DATA.images[CALLS.image[call]]; }
function message(call) { return DATA.messages[CALLS.message[call]]; }
function colourName(call) {
  const how = state(call);
  return how === "cached" ? "--cached" : isOver(call) ? COLOURS[ending(call)] || "--idle" : "--running";
}

/* Make an element with a class, text and children, all as text: nothing of a run is ever HTML. */
function make(tag, className, ...content) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...content);
  return element;
}
