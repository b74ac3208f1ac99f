"use strict";
/* Puts the parts together: one filter for the timeline and the table, and the details of what is clicked. */
(function main() {
  const details = new Details();
  const show = (call) => details.show(call);
  const timeline = new Timeline(show), table = new CallTable(show);
  const search = document.getElementById("filter"), critical = document.getElementById("only-critical");
  const chosen = new Set();
  const everything = Array.from({ length: COUNT }, (_, call) => call);
  const haystack = everything.map((call) =>
    [CALLS.path[call], name(call), state(call), ending(call), message(call), image(call), place(call)].join("\n").toLowerCase());

  const start = everything.map((call) => began(call) ?? ended(call));

  function apply() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const calls = everything.filter((call) =>
      (!chosen.size || chosen.has(state(call))) && (!critical.checked || CALLS.critical[call]) &&
      words.every((word) => haystack[call].includes(word)));
    timeline.show(calls.sort((a, b) => start[a] - start[b] || a - b));
    table.show(calls);
    const shown = calls.length === COUNT ? "" : ` of ${COUNT}`;
    document.getElementById("count").textContent = `${calls.length}${shown} call${COUNT === 1 ? "" : "s"}`;
  }

  for (const each of DATA.states) {
    const count = everything.filter((call) => state(call) === each).length;
    if (!count) continue;
    const button = make("button", "", make("span", `dot s-${each}`), `${count} ${each}`);
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      if (!chosen.delete(each)) chosen.add(each);
      button.setAttribute("aria-pressed", String(chosen.has(each)));
      apply();
    });
    document.getElementById("states").append(button);
  }

  function legend() {
    const used = new Set(DATA.attempts.map((attempt) => (attempt[7] < 0 ? "running" : DATA.endings[attempt[7]])));
    const entries = [...used].map((how) => [how === "running" ? "under way" : WORDS[how], how === "running" ? "--running" : COLOURS[how] || "--failed"]);
    if (everything.some((call) => state(call) === "cached")) entries.push(["from the call cache", "--cached"]);
    if (DATA.attempts.some((attempt) => attempt[3] != null && attempt[4] - attempt[3] > 0.2)) entries.push(["image", "--image"]);
    entries.push(["waiting", "--rule-strong"]);
    for (const [text, colour] of entries) {
      const swatch = make("i");
      swatch.style.background = `var(${colour})`;
      document.getElementById("legend").append(make("li", "", swatch, text));
    }
  }

  for (const part of document.querySelectorAll("[data-part]")) part.style.width = `${part.dataset.part}%`;
  const number = new Map(CALLS.path.map((path, call) => [path, call]));
  for (const button of document.querySelectorAll("[data-call]")) {
    if (button.tagName === "BUTTON") button.addEventListener("click", () => show(number.get(button.dataset.call)));
  }
  document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());
  search.addEventListener("input", apply);
  critical.addEventListener("change", apply);
  legend();
  apply();
  timeline.select(everything.find((call) => state(call) === "failed"));
  document.documentElement.dataset.ready = "yes";
})();
