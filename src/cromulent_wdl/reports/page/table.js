"use strict";
/* The table of calls: of ten thousand rows only those are in the page that are seen. */
/* The call's name has what the others leave. */
const COLUMNS = [
  { key: "path", head: "Call", value: (c) => CALLS.path[c], text: true },
  { key: "state", head: "State", width: "132px", value: (c) => (ending(c) && ending(c) !== "ok" ? ending(c) : state(c)), text: true },
  { key: "attempts", head: "Tries", width: "54px", value: (c) => ATTEMPTS[c].length || null },
  { key: "took", head: "Took", width: "70px", value: took, show: duration },
  { key: "waited", head: "Waited", width: "74px", value: waited, show: duration },
  { key: "cpu", head: "Cores", width: "78px", value: (c) => cores(c) ?? CALLS.cpu[c] },
  { key: "memory", head: "Memory", width: "162px", value: (c) => CALLS.peak[c] ?? CALLS.memory[c] },
  { key: "dollars", head: "Cost", width: "97px", value: (c) => CALLS.dollars[c], show: dollars },
  { key: "place", head: "Place", width: "112px", value: shortPlace, text: true },
];

/* How many cores were busy on average. */
function cores(call) {
  const seconds = CALLS.cpu_seconds[call], time = ran(call);
  return seconds == null || !time ? null : seconds / time;
}

/* Where, without what is the same for all: the region, or that it was here. */
function shortPlace(call) { return place(call).replace(/ in \S+$| here$/, "").replace(/^a process$/, "process"); }

/* "3.4 of 4 GiB": both in the unit of the larger. */
function ofMemory(part, whole) {
  const [number, unit] = memory(whole).split(" "), share = +((part / whole) * Number(number)).toFixed(1);
  return `${share || part === 0 ? share : "< 0.1"} of ${number} ${unit}`;
}

class CallTable {
  constructor(choose) {
    this.choose = choose;
    this.window = document.getElementById("window");
    this.table = document.getElementById("table");
    this.body = this.table.tBodies[0];
    this.rowHeight = 34;
    this.order = { key: null, down: false };
    this.columns = COLUMNS.filter(({ key }) => key !== "dollars" || CALLS.dollars.some((each) => each != null));
    this.head();
    this.window.addEventListener("scroll", () => this.later());
    new ResizeObserver(() => this.later()).observe(this.window);
    this.body.addEventListener("click", (event) => {
      const row = event.target.closest("tr[data-call]");
      if (row && !event.target.closest("a")) this.choose(Number(row.dataset.call));
    });
    addEventListener("beforeprint", () => this.draw(Math.min(this.calls.length, 2000)));
    addEventListener("afterprint", () => this.draw());
  }

  head() {
    const row = this.table.tHead.insertRow();
    for (const column of this.columns) {
      const button = make("button", "", column.head), cell = make("th", column.text ? "" : "n", button);
      button.type = "button";
      cell.scope = "col";
      if (column.width) cell.style.width = column.width;
      button.addEventListener("click", () => this.sort(column.key));
      row.append(cell);
      column.cell = cell;
    }
  }

  /* By a column, upwards or, the second time, downwards; numbers begin with the largest. */
  sort(key) {
    const column = this.columns.find((each) => each.key === key);
    this.order = { key, down: this.order.key === key ? !this.order.down : !column.text };
    for (const each of this.columns) each.cell.removeAttribute("aria-sort");
    column.cell.setAttribute("aria-sort", this.order.down ? "descending" : "ascending");
    this.show(this.calls);
  }

  show(calls) {
    this.calls = [...calls];
    const column = this.columns.find((each) => each.key === this.order.key);
    if (column) {
      const values = new Map(this.calls.map((call) => [call, column.value(call)]));
      const sign = this.order.down ? -1 : 1, collator = new Intl.Collator("en", { numeric: true });
      this.calls.sort((a, b) => {
        const x = values.get(a), y = values.get(b);
        if (x == null || y == null) return (x == null) - (y == null) || a - b;
        return sign * (column.text ? collator.compare(x, y) : x - y) || a - b;
      });
    } else {
      this.calls.sort((a, b) => a - b);
    }
    this.table.setAttribute("aria-rowcount", this.calls.length + 1);
    this.window.scrollTop = 0;
    this.drawn = null;
    this.draw();
  }

  later() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => { this.asked = false; this.draw(); });
  }

  draw(all) {
    const room = Math.ceil(this.window.clientHeight / this.rowHeight);
    const first = all ? 0 : Math.max(0, Math.floor(this.window.scrollTop / this.rowHeight) - 8);
    const last = Math.min(this.calls.length, all || first + room + 24);
    if (this.drawn === `${first} ${last}`) return;
    this.drawn = all ? null : `${first} ${last}`;
    const rows = [this.pad(first)];
    for (let number = first; number < last; number++) rows.push(this.row(number));
    this.body.replaceChildren(...rows, this.pad(all ? 0 : this.calls.length - last));
  }

  pad(count) {
    const cell = make("td"), row = make("tr", "pad", cell);
    cell.colSpan = this.columns.length;
    row.style.height = cell.style.height = `${count * this.rowHeight}px`;
    row.setAttribute("aria-hidden", "true");
    return row;
  }

  row(number) {
    const call = this.calls[number], row = make("tr");
    row.dataset.call = call;
    row.setAttribute("aria-rowindex", number + 2);
    row.append(...this.columns.map((column) => this.cell(column, call)));
    return row;
  }

  cell(column, call) {
    const value = column.value(call);
    if (column.key === "path") {
      const own = Math.max(0, value.lastIndexOf(".")), within = make("span", "within", value.slice(0, own));
      const button = make("button", "link parted", within, make("span", "own", value.slice(own))), cell = make("th", "", button);
      button.type = "button";
      cell.scope = "row";
      cell.title = value;
      return cell;
    }
    if (column.key === "state") return this.stateCell(call, value);
    if (column.key === "memory") return this.memoryCell(call);
    if (column.key === "cpu") return make("td", "n", this.cores(call));
    const cell = make("td", column.text ? "" : "n", value == null ? "" : column.show ? column.show(value) : String(value));
    cell.title = cell.textContent;
    return cell;
  }

  stateCell(call, value) {
    const how = state(call), text = WORDS[value] && how !== "ok" && how !== "cached" ? WORDS[value] : how;
    const mark = make("span", `s-${how}`, `${MARKS[how]} `), cell = make("td", "", mark, text);
    mark.setAttribute("aria-hidden", "true");
    cell.title = message(call) || text;
    return cell;
  }

  memoryCell(call) {
    const peak = CALLS.peak[call], asked = CALLS.memory[call], cell = make("td", "n");
    if (peak != null && asked) {
      const fill = make("i"), meter = make("span", "meter", fill);
      fill.style.width = `${Math.min(100, (100 * peak) / asked)}%`;
      meter.setAttribute("aria-hidden", "true");
      cell.append(meter);
    }
    cell.append(peak == null ? (asked ? `${memory(asked)} asked` : "") : asked ? ofMemory(peak, asked) : memory(peak));
    cell.title = cell.textContent;
    return cell;
  }

  cores(call) {
    const busy = cores(call), asked = CALLS.cpu[call];
    if (busy == null) return asked ? `${asked} asked` : "";
    return busy.toFixed(1) + (asked ? ` of ${asked}` : "");
  }
}
