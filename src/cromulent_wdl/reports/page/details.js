"use strict";
/* One call: its attempts, what it wrote last, its inputs, and where the rest is. */
class Details {
  constructor() {
    this.dialog = document.getElementById("details");
    this.body = document.getElementById("details-body");
    this.run = document.getElementById("directory").textContent;
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.dialog.close(); });
  }

  show(call) {
    const heading = make("h2", "", `${MARKS[state(call)]} ${CALLS.path[call]}`);
    heading.id = "details-name";
    const how = ending(call) && ending(call) !== "ok" ? WORDS[ending(call)] : state(call);
    this.body.replaceChildren(
      heading,
      make("p", "lead", [how, `${duration(took(call))} in all`, place(call)].filter(Boolean).join(" · ")),
      ...this.facts(call), ...this.attempts(call), ...this.texts(call), ...this.files(call),
    );
    this.dialog.showModal();
    this.dialog.scrollTop = 0;
  }

  facts(call) {
    const cpu = CALLS.cpu_seconds[call], peak = CALLS.peak[call], asked = CALLS.memory[call];
    const pairs = [
      ["message", message(call)],
      ["image", image(call)],
      ["cores", [CALLS.cpu[call] ? `${CALLS.cpu[call]} asked` : "", cpu == null ? "" : `${duration(cpu)} of processor time`].filter(Boolean).join(", ")],
      ["memory", peak == null ? (asked ? `${memory(asked)} asked` : "") : `${memory(peak, asked)} at its peak${asked ? ` of ${memory(asked)}` : ""}`],
      ["cost", dollars(CALLS.dollars[call])],
      ["waited", waited(call) >= 0.5 ? duration(waited(call)) : ""],
    ].filter(([, text]) => text);
    const list = make("dl", "facts");
    for (const [label, text] of pairs) list.append(make("dt", "", label), make("dd", "", text));
    return pairs.length ? [list] : [];
  }

  attempts(call) {
    if (ATTEMPTS[call].length < 2) return [];
    const table = make("table", "plain"), head = table.createTHead().insertRow(), body = table.createTBody();
    for (const text of ["Attempt", "Began", "Image", "Ran", "Ended"]) head.append(make("th", "", text));
    for (const a of ATTEMPTS[call]) {
      const how = a.ending < 0 ? "under way" : WORDS[DATA.endings[a.ending]];
      const cells = [
        String(a.number), duration(a.placed), a.pull == null || a.pulled == null ? "" : duration(a.pulled - a.pull),
        a.started == null ? "" : duration((a.ended ?? END) - a.started), a.status ? `${how}, status ${a.status}` : how,
      ];
      body.insertRow().append(...cells.map((text) => make("td", "", text)));
    }
    return [make("h3", "", "Attempts"), table];
  }

  texts(call) {
    const known = DATA.texts[CALLS.path[call]] || {};
    const titles = { stderr: "Last lines of stderr", stdout: "Last lines of stdout", inputs: "Inputs" };
    return Object.entries(titles).filter(([name]) => known[name]).flatMap(([name, title]) => {
      const text = make("pre", "", known[name]);
      text.tabIndex = 0;
      return [make("h3", "", title), text];
    });
  }

  files(call) {
    const directory = CALLS.directory[call];
    if (!directory && directory !== "") return [];
    const path = directory.startsWith("/") || directory.includes("://") ? directory : directory ? `${this.run}/${directory}` : this.run;
    const list = make("p", "mono");
    if (path.startsWith("/")) {
      const last = ATTEMPTS[call].at(-1)?.number ?? 1, suffix = last > 1 ? last : "";
      for (const name of [`stderr${suffix}.txt`, `stdout${suffix}.txt`, "command", "inputs.json"]) {
        const link = make("a", "", name);
        link.href = `file://${`${path}/${name}`.split("/").map(encodeURIComponent).join("/")}`;
        list.append(link, "  ");
      }
    }
    return [make("h3", "", "Files"), make("p", "mono", path), list];
  }
}
