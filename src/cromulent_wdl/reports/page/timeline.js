"use strict";
/* The timeline: a row a call, drawn on one canvas as large as what is seen of it, and a strip with all of the run above. */
class Timeline {
  constructor(choose) {
    this.choose = choose;
    this.scroller = document.getElementById("scroller");
    this.rows = document.getElementById("rows");
    this.bars = document.getElementById("bars");
    this.strip = document.getElementById("overview");
    this.tip = document.getElementById("tip");
    this.calls = [];
    this.selected = -1;
    this.from = 0;
    this.to = END;
    this.axis = 30;
    this.height = 20;
    this.scroller.addEventListener("scroll", () => this.later());
    this.scroller.addEventListener("keydown", (event) => this.key(event));
    this.scroller.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.listen();
    new ResizeObserver(() => this.later()).observe(this.scroller);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.later());
    for (const button of document.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => this.zoom({ in: 0.5, out: 2, all: Infinity }[button.dataset.zoom]));
    }
  }

  show(calls) {
    this.calls = calls;
    this.row = new Map(calls.map((call, row) => [call, row]));
    this.busy = Timeline.busy(calls);
    this.scroller.style.height = `${Math.min(calls.length * this.height + this.axis + 10, 540)}px`;
    this.rows.style.height = `${calls.length * this.height + this.axis + 8}px`;
    this.later();
  }

  /* Draw before the next picture, once, however often it is asked for. */
  later() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => { this.asked = false; this.draw(); });
  }

  /* How many commands ran in each of 400 stretches of the run, at most. */
  static busy(calls) {
    const parts = 400, change = new Float64Array(parts + 2);
    for (const call of calls) for (const a of ATTEMPTS[call]) {
      if (a.started == null) continue;
      change[Math.max(0, Math.floor((a.started / END) * parts))] += 1;
      change[Math.min(parts, Math.floor(((a.ended ?? END) / END) * parts)) + 1] -= 1;
    }
    const counts = [];
    for (let part = 0, sum = 0; part <= parts; part++) counts.push((sum += change[part]));
    return counts;
  }

  /* A context scaled to the screen's dots, with the colours as they are now. */
  sheet(canvas, height) {
    const width = canvas.parentElement.clientWidth, scale = window.devicePixelRatio || 1;
    canvas.width = width * scale;
    canvas.height = height * scale;
    canvas.style.height = `${height}px`;
    const context = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
    context.scale(scale, scale);
    this.colour = (variable) => style.getPropertyValue(variable).trim();
    this.font = getComputedStyle(document.body).fontFamily;
    return [context, width];
  }

  labels(width) { return Math.min(240, Math.max(84, width * 0.24)); }
  x(time) { return this.left + ((time - this.from) / (this.to - this.from)) * (this.width - this.left - 12); }
  time(x) { return this.from + ((x - this.left) / (this.width - this.left - 12)) * (this.to - this.from); }

  draw() {
    const [context, width] = this.sheet(this.bars, this.scroller.clientHeight);
    this.width = width;
    this.left = this.labels(width);
    this.ticks(context);
    const first = Math.max(0, Math.floor((this.scroller.scrollTop - this.height) / this.height));
    const last = Math.min(this.calls.length, first + Math.ceil(this.scroller.clientHeight / this.height) + 2);
    context.save();
    context.beginPath();
    context.rect(0, this.axis, width, this.scroller.clientHeight);
    context.clip();
    for (let row = first; row < last; row++) this.drawRow(context, row);
    context.restore();
    this.drawStrip();
  }

  ticks(context) {
    const steps = [0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 604800];
    const room = Math.max(2, (this.width - this.left) / 92);
    const step = steps.find((each) => (this.to - this.from) / each <= room) || steps.at(-1);
    context.font = `12px ${this.font}`;
    context.textAlign = "center";
    for (let t = Math.ceil(this.from / step) * step; t <= this.to; t += step) {
      const x = Math.round(this.x(t)) + 0.5;
      context.fillStyle = this.colour("--rule");
      context.fillRect(x, this.axis - 6, 1, this.scroller.clientHeight);
      context.fillStyle = this.colour("--soft");
      context.fillText(step < 1 ? `${t.toFixed(1)} s` : duration(t), Math.min(x, this.width - 24), 17);
    }
    context.textAlign = "left";
  }

  drawRow(context, row) {
    const call = this.calls[row], y = this.axis + row * this.height - this.scroller.scrollTop, middle = y + this.height / 2;
    if (call === this.selected) {
      context.fillStyle = this.colour("--select");
      context.fillRect(0, y, this.width, this.height);
    }
    const bold = CALLS.critical[call] ? "600 " : "";
    context.font = `${bold}12px ${this.font}`;
    context.fillStyle = this.colour(state(call) === "failed" ? "--failed" : CALLS.critical[call] ? "--ink" : "--soft");
    context.fillText(this.fitted(context, `${MARKS[state(call)]} ${CALLS.path[call]}`, this.left - 16), 10, middle + 4);
    context.save();
    context.beginPath();
    context.rect(this.left - 6, y, this.width - this.left + 6, this.height);
    context.clip();
    this.bar(context, ready(call), began(call) ?? ended(call), middle, 2, "--rule-strong");
    if (state(call) === "cached") this.diamond(context, ended(call), middle);
    for (const attempt of ATTEMPTS[call]) this.drawAttempt(context, attempt, middle);
    context.restore();
  }

  drawAttempt(context, attempt, middle) {
    if (attempt.pull != null) this.bar(context, attempt.pull, attempt.pulled ?? END, middle, 6, "--image");
    if (attempt.started == null) return;
    const how = attempt.ending < 0 ? "" : DATA.endings[attempt.ending];
    const until = attempt.ended ?? END;
    this.bar(context, attempt.started, until, middle, 11, how ? COLOURS[how] || "--failed" : "--running");
    if (how && how !== "ok" && how !== "stopped") this.cross(context, until, middle, COLOURS[how] || "--failed");
  }

  bar(context, from, to, middle, thick, colour) {
    const x = Math.max(this.left, this.x(from)), end = Math.min(this.width, this.x(to));
    if (end < this.left || x > this.width) return;
    context.fillStyle = this.colour(colour);
    context.fillRect(x, middle - thick / 2, Math.max(1.5, end - x), thick);
  }

  /* Not by colour alone: what failed ends in a cross, what was cached is a diamond. */
  cross(context, time, middle, colour) {
    const x = this.x(time) + 5;
    context.strokeStyle = this.colour(colour);
    context.lineWidth = 1.6;
    context.beginPath();
    context.moveTo(x - 3, middle - 3); context.lineTo(x + 3, middle + 3);
    context.moveTo(x - 3, middle + 3); context.lineTo(x + 3, middle - 3);
    context.stroke();
  }

  diamond(context, time, middle) {
    const x = this.x(time);
    context.fillStyle = this.colour("--cached");
    context.beginPath();
    context.moveTo(x, middle - 5); context.lineTo(x + 5, middle); context.lineTo(x, middle + 5); context.lineTo(x - 5, middle);
    context.fill();
  }

  /* A path that is too long loses its middle: what tells calls apart is at the end. */
  fitted(context, text, room) {
    if (context.measureText(text).width <= room) return text;
    const letters = Math.max(6, Math.floor((text.length * room) / context.measureText(text).width) - 1);
    return `${text.slice(0, Math.ceil(letters / 2))}…${text.slice(text.length - Math.floor(letters / 2))}`;
  }

  drawStrip() {
    const [context, width] = this.sheet(this.strip, 64), most = Math.max(1, ...this.busy);
    const span = width - this.left - 12, x = (time) => this.left + (time / END) * span;
    context.fillStyle = this.colour("--wash");
    context.fillRect(this.left, 4, span, 54);
    context.fillStyle = this.colour("--idle");
    this.busy.forEach((count, part) => {
      const high = (count / most) * 46;
      context.fillRect(this.left + (part / this.busy.length) * span, 58 - high, span / this.busy.length + 0.5, high);
    });
    context.strokeStyle = this.colour("--accent");
    context.lineWidth = 1.5;
    context.strokeRect(x(this.from) + 0.5, 4.5, Math.max(3, x(this.to) - x(this.from) - 1), 53);
    context.font = `12px ${this.font}`;
    context.fillStyle = this.colour("--soft");
    context.fillText(`${most} at once`, 10, 24);
    this.strip.setAttribute("aria-label", `At most ${most} tasks ran at once`);
  }

  zoom(factor, around) {
    const centre = around ?? (this.from + this.to) / 2, span = Math.min(END, Math.max(END / 5e4, 0.05, (this.to - this.from) * factor));
    const share = (centre - this.from) / (this.to - this.from);
    this.look(centre - share * span, span);
  }

  look(from, span) {
    this.from = Math.min(Math.max(0, from), END - span);
    this.to = this.from + span;
    this.follow();
    this.later();
  }

  /* Where none of the rows in sight has anything in the time that is looked at, go to the first row that has. */
  follow() {
    const first = Math.floor(this.scroller.scrollTop / this.height), seen = Math.ceil(this.scroller.clientHeight / this.height);
    const inTime = (call) => ready(call) <= this.to && ended(call) >= this.from && (began(call) ?? 0) <= this.to;
    if (this.calls.slice(first, first + seen).some(inTime)) return;
    const row = this.calls.findIndex((call) => (began(call) ?? ended(call)) >= this.from && inTime(call));
    if (row >= 0) this.scroller.scrollTop = row * this.height;
  }

  wheel(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      event.preventDefault();
      this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.time(event.offsetX));
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      this.look(this.from + (event.deltaX / this.width) * (this.to - this.from), this.to - this.from);
    }
  }

  key(event) {
    const move = (this.to - this.from) / 8;
    const actions = {
      "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2), 0: () => this.zoom(Infinity),
      ArrowLeft: () => this.look(this.from - move, this.to - this.from),
      ArrowRight: () => this.look(this.from + move, this.to - this.from),
      ArrowDown: () => this.step(1), ArrowUp: () => this.step(-1), PageDown: () => this.step(20), PageUp: () => this.step(-20),
      Home: () => this.step(-COUNT), End: () => this.step(COUNT),
      Enter: () => this.selected >= 0 && this.choose(this.selected),
    };
    if (!(event.key in actions) || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    actions[event.key]();
  }

  step(by) {
    const row = (this.row.get(this.selected) ?? (by > 0 ? -1 : 0)) + by;
    this.select(this.calls[Math.max(0, Math.min(this.calls.length - 1, row))]);
    document.getElementById("said").textContent = this.inWords(this.selected).join(", ");
  }

  select(call) {
    if (call == null) return;
    this.selected = call;
    const top = this.row.get(call) * this.height, seen = this.scroller.clientHeight - this.axis - this.height;
    if (top < this.scroller.scrollTop) this.scroller.scrollTop = top;
    if (top > this.scroller.scrollTop + seen) this.scroller.scrollTop = top - seen;
    this.later();
  }

  inWords(call) {
    const times = [`${duration(took(call))} in all`, ran(call) == null ? "" : `${duration(ran(call))} at work`];
    const again = ATTEMPTS[call].length > 1 ? `${ATTEMPTS[call].length} attempts` : "";
    return [CALLS.path[call], state(call), ...times, again, place(call), message(call)].filter(Boolean);
  }

  at(event) {
    const box = this.bars.getBoundingClientRect(), y = event.clientY - box.top;
    if (y < this.axis) return null;
    return this.calls[Math.floor((y - this.axis + this.scroller.scrollTop) / this.height)] ?? null;
  }

  listen() {
    this.bars.addEventListener("pointermove", (event) => this.hover(event));
    this.bars.addEventListener("pointerleave", () => { this.tip.hidden = true; });
    let grip = null;
    this.bars.addEventListener("pointerdown", (event) => { grip = { x: event.clientX, from: this.from, moved: false }; });
    addEventListener("pointermove", (event) => {
      if (!grip || Math.abs(event.clientX - grip.x) < 4) return;
      grip.moved = true;
      this.look(grip.from - ((event.clientX - grip.x) / (this.width - this.left)) * (this.to - this.from), this.to - this.from);
    });
    addEventListener("pointerup", (event) => {
      const call = grip && !grip.moved && event.target === this.bars ? this.at(event) : null;
      grip = null;
      if (call != null) { this.select(call); this.choose(call); }
    });
    this.listenToStrip();
  }

  listenToStrip() {
    let start = null;
    const time = (event) => {
      const box = this.strip.getBoundingClientRect();
      return Math.min(END, Math.max(0, ((event.clientX - box.left - this.left) / (box.width - this.left - 12)) * END));
    };
    this.strip.addEventListener("pointerdown", (event) => { start = time(event); this.strip.setPointerCapture(event.pointerId); });
    this.strip.addEventListener("pointermove", (event) => {
      if (start == null || Math.abs(time(event) - start) < END / 200) return;
      this.look(Math.min(start, time(event)), Math.abs(time(event) - start));
    });
    this.strip.addEventListener("pointerup", (event) => {
      if (start != null && Math.abs(time(event) - start) < END / 200) this.look(start - (this.to - this.from) / 2, this.to - this.from);
      start = null;
    });
    this.strip.addEventListener("dblclick", () => this.zoom(Infinity));
  }

  hover(event) {
    const call = this.at(event);
    this.bars.style.cursor = call == null ? "default" : "pointer";
    this.tip.hidden = call == null;
    if (call == null) return;
    const [path, ...rest] = this.inWords(call);
    this.tip.replaceChildren(make("strong", "", path), make("br"), rest.join(" · "));
    const box = this.tip.getBoundingClientRect();
    this.tip.style.left = `${Math.min(event.clientX + 14, innerWidth - box.width - 10)}px`;
    this.tip.style.top = `${event.clientY + 18 + box.height > innerHeight ? event.clientY - box.height - 12 : event.clientY + 18}px`;
  }
}
