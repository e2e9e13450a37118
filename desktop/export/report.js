// The report: one clock, that of the player, moves the trajectory, the words and the numbers.
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const player = byId("player");
  const plot = byId("plot");
  const rows = data.time.length;
  const view = { start: 0, end: data.duration };
  const shown = data.emotions.map(() => true);
  let hover = null;
  let clock = 0; // seconds, where there is nothing to play
  let drawn = "";

  const color = (name) => getComputedStyle(document.body).getPropertyValue("--" + name).trim();
  const hasMedia = () => !player.hidden;
  const now = () => (hasMedia() ? player.currentTime : clock);

  function seek(time) {
    const to = Math.min(Math.max(time, 0), data.duration);
    clock = to;
    if (hasMedia()) player.currentTime = to;
  }

  function element(name, text, more = {}) {
    const made = document.createElement(name);
    made.textContent = text;
    return Object.assign(made, more);
  }

  function clockText(seconds) {
    const whole = Math.floor(seconds);
    const two = (n) => String(n).padStart(2, "0");
    const hours = Math.floor(whole / 3600);
    const rest = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
    return (hours ? hours + ":" : "") + rest + (seconds % 1).toFixed(1).slice(1, 3);
  }

  // The last row at or before a time, as in the app; -1 before the first.
  function rowAt(time) {
    let low = 0;
    let high = rows;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (data.time[middle] <= time + 1e-6) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
  const known = (row) => row >= 0 && row < rows && data.present[row] !== 0;

  function loadMedia() {
    const text = byId("media").textContent.trim();
    if (!text) {
      player.hidden = true;
      byId("nothing").hidden = false;
      return;
    }
    const parts = [];
    const size = 4 * 262144; // of base64: a whole number of bytes each
    for (let at = 0; at < text.length; at += size) {
      const bytes = atob(text.slice(at, at + size));
      parts.push(Uint8Array.from(bytes, (letter) => letter.charCodeAt(0)));
    }
    byId("media").textContent = "";
    player.src = URL.createObjectURL(new Blob(parts, { type: data.type }));
    player.classList.toggle("sound", data.type.startsWith("audio"));
  }

  function fillText() {
    byId("title").textContent = data.title;
    byId("facts").textContent = data.facts;
    byId("made").textContent = data.made;
    for (const line of data.missing) byId("missing").append(element("li", "not in the session: " + line));
    const words = byId("words");
    data.words.forEach(([start, , text, probability], index) => {
      const button = element("button", text, { type: "button", title: clockText(start) });
      button.dataset.index = index;
      if (probability < 0.5) button.className = "unsure";
      button.addEventListener("click", () => seek(start));
      words.append(button, " ");
    });
    if (!data.words.length) words.textContent = "no words";
    const marks = byId("markers");
    for (const [time, label, note] of data.marks) {
      const line = element("li", "");
      const button = element("button", `${clockText(time)} ${label}`, { type: "button" });
      button.addEventListener("click", () => seek(time));
      line.append(button, note ? " " + note : "");
      marks.append(line);
    }
    byId("marks").hidden = !data.marks.length;
  }

  function fillSummary() {
    for (const line of data.summary) {
      const row = document.createElement("tr");
      const bar = element("div", "", { className: "bar" });
      bar.style.setProperty("--color", `var(--${line.emotion})`);
      bar.style.width = `${100 * line.mean}%`;
      const peak = element("button", `${(100 * line.peak).toFixed(0)} % at ${clockText(line.at)}`, { type: "button" });
      peak.addEventListener("click", () => seek(line.at));
      const cells = [line.emotion, `${(100 * line.mean).toFixed(0)} %`, bar, `${line.seconds.toFixed(1)} s`, peak];
      for (const cell of cells) {
        const made = document.createElement("td");
        made.append(cell);
        row.append(made);
      }
      byId("emotions").append(row);
    }
    byId("overall").textContent = data.overall;
  }

  function fillLegend() {
    data.emotions.forEach((emotion, index) => {
      const button = element("button", emotion, { type: "button" });
      button.style.setProperty("--color", `var(--${emotion})`);
      button.setAttribute("aria-pressed", "true");
      button.append(document.createElement("output"));
      button.addEventListener("click", () => {
        shown[index] = !shown[index];
        button.setAttribute("aria-pressed", String(shown[index]));
      });
      byId("legend").append(button);
    });
  }

  // Lanes, in parts of the height: curves, sentiment, presence of words, voice and face.
  const BUCKET = 4; // pixels that one point of a condensed curve stands for
  const LANES = { curves: [0.04, 0.6], sentiment: [0.67, 0.81], presence: [0.84, 1] };

  // The curves are drawn once and kept as a picture: the playhead and the pointer move over it.
  const kept = document.createElement("canvas");
  let keptState = "";

  function draw() {
    const ratio = window.devicePixelRatio || 1;
    const width = plot.clientWidth;
    const height = plot.clientHeight;
    const state = [view.start, view.end, width, height, ratio, shown, color("background")].join();
    const moving = [now(), hover].join();
    if (state + moving === drawn) return;
    drawn = state + moving;
    if (state !== keptState) {
      keptState = state;
      drawCurves(kept, width, height, ratio);
      plot.width = kept.width;
      plot.height = kept.height;
    }
    const pen = plot.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, plot.width, plot.height);
    pen.drawImage(kept, 0, 0);
    pen.scale(ratio, ratio);
    const toX = (time) => ((time - view.start) / (view.end - view.start)) * width;
    if (hover !== null) {
      pen.strokeStyle = color("muted");
      pen.lineWidth = 1;
      line(pen, toX(hover), 0, toX(hover), height);
    }
    pen.strokeStyle = color("text");
    pen.lineWidth = 2;
    line(pen, toX(now()), 0, toX(now()), height);
  }

  function drawCurves(canvas, width, height, ratio) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.font = "12px system-ui, sans-serif";
    const toX = (time) => ((time - view.start) / (view.end - view.start)) * width;
    const first = Math.max(0, rowAt(view.start) - 1);
    const last = Math.min(rows - 1, rowAt(view.end) + 1);
    drawGrid(pen, toX, width, height);
    const [top, bottom] = LANES.curves.map((part) => part * height);
    data.emotions.forEach((emotion, index) => {
      if (!shown[index]) return;
      const values = data.values[index];
      curve(pen, toX, first, last, width, color(emotion), (row) => bottom + (top - bottom) * values[row]);
    });
    const [high, low] = LANES.sentiment.map((part) => part * height);
    const middle = (high + low) / 2;
    pen.strokeStyle = color("border");
    line(pen, 0, middle, width, middle);
    curve(pen, toX, first, last, width, color("accent"), (row) =>
      data.sentiment[row] === null ? null : middle + ((high - low) / 6) * data.sentiment[row]);
    drawPresence(pen, toX, first, last, height);
    pen.fillStyle = color("muted");
    pen.fillText("sentiment", 4, high + 8);
    for (const [time, label] of data.marks) {
      pen.strokeStyle = pen.fillStyle = color("alert_text");
      line(pen, toX(time), 0, toX(time), height);
      pen.fillText(label, toX(time) + 3, 11);
    }
  }

  function line(pen, x1, y1, x2, y2) {
    pen.beginPath();
    pen.moveTo(x1, y1);
    pen.lineTo(x2, y2);
    pen.stroke();
  }

  function drawGrid(pen, toX, width, height) {
    const span = view.end - view.start;
    const step = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600].find((s) => span / s <= width / 80) || 3600;
    pen.lineWidth = 1;
    for (let time = Math.ceil(view.start / step) * step; time <= view.end; time += step) {
      pen.strokeStyle = color("faint");
      line(pen, toX(time), 0, toX(time), height);
      pen.fillStyle = color("muted");
      pen.fillText(clockText(time), toX(time) + 3, height * 0.645);
    }
    pen.strokeStyle = color("border");
    for (const part of LANES.curves) line(pen, 0, part * height, width, part * height);
  }

  // A curve with gaps where nothing is known. Where rows are closer than pixels it is the mean of
  // equal buckets, with their lowest and highest values as a pale band, as in the app.
  function curve(pen, toX, first, last, width, stroke, yOf) {
    const count = last - first + 1;
    const size = count <= width / 2 ? 1 : Math.ceil(count / (width / BUCKET));
    let run = [];
    for (let row = first; row <= last; row += size) {
      const point = bucket(row, Math.min(row + size, last + 1), yOf);
      if (point !== null) run.push({ x: toX(data.time[row + ((size - 1) >> 1)] ?? data.time[row]), ...point });
      if (point === null || row + size > last) {
        if (run.length) strokeRun(pen, run, stroke, size > 1);
        run = [];
      }
    }
  }

  function bucket(from, to, yOf) {
    let sum = 0;
    let low = Infinity;
    let high = -Infinity;
    for (let row = from; row < to; row += 1) {
      const y = known(row) ? yOf(row) : null;
      if (y === null) return null;
      sum += y;
      low = Math.min(low, y);
      high = Math.max(high, y);
    }
    return { y: sum / (to - from), low, high };
  }

  function strokeRun(pen, run, stroke, band) {
    if (band) {
      pen.globalAlpha = 0.16;
      pen.fillStyle = stroke;
      pen.beginPath();
      run.forEach((point) => pen.lineTo(point.x, point.low));
      run.slice().reverse().forEach((point) => pen.lineTo(point.x, point.high));
      pen.fill();
      pen.globalAlpha = 1;
    }
    pen.strokeStyle = stroke;
    pen.lineWidth = 2;
    pen.lineJoin = "round";
    pen.beginPath();
    run.forEach((point) => pen.lineTo(point.x, point.y));
    pen.stroke();
  }

  function drawPresence(pen, toX, first, last, height) {
    const [top, bottom] = LANES.presence.map((part) => part * height);
    ["words", "voice", "face"].forEach((name, bit) => {
      const y = top + ((bottom - top) * bit) / 3;
      pen.fillStyle = color("border");
      let begin = null;
      for (let row = first; row <= last + 1; row += 1) {
        const there = row <= last && (data.present[row] >> bit) & 1;
        if (there && begin === null) begin = toX(row === 0 ? 0 : data.time[row]);
        if (!there && begin !== null) {
          const end = toX(row < rows ? data.time[row] : data.duration);
          pen.fillRect(begin, y, Math.max(1, end - begin), (bottom - top) / 3 - 3);
          begin = null;
        }
      }
      pen.fillStyle = color("muted");
      pen.fillText(name, 4, y + (bottom - top) / 3 - 5);
    });
  }

  // The last word that begins at or before a time, if it has not ended; else -1.
  function wordAt(time) {
    let low = 0;
    let high = data.words.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (data.words[middle][0] <= time) low = middle + 1;
      else high = middle;
    }
    const word = data.words[low - 1];
    return word && time < Math.max(word[1], word[0] + 0.05) ? low - 1 : -1;
  }

  let highlighted = -1;
  function highlight() {
    const time = now();
    const index = wordAt(time);
    if (index === highlighted) return;
    const buttons = byId("words").children;
    if (highlighted >= 0) buttons[highlighted].classList.remove("now");
    if (index >= 0) {
      const box = byId("words");
      const button = buttons[index];
      button.classList.add("now");
      const at = button.offsetTop - box.offsetTop;
      if (at < box.scrollTop || at > box.scrollTop + box.clientHeight - 40) box.scrollTop = at - 60;
    }
    highlighted = index;
  }

  function numbers() {
    const row = rowAt(hover === null ? now() : hover);
    byId("legend").querySelectorAll("output").forEach((output, index) => {
      const text = known(row) ? `${Math.round(100 * data.values[index][row])} %` : "–";
      if (output.textContent !== text) output.textContent = text;
    });
    plot.setAttribute("aria-valuenow", now().toFixed(1));
    plot.setAttribute("aria-valuetext", clockText(now()));
  }

  function timeAt(event) {
    const box = plot.getBoundingClientRect();
    return view.start + ((event.clientX - box.left) / box.width) * (view.end - view.start);
  }

  function listen() {
    let dragging = false;
    plot.addEventListener("pointerdown", (event) => {
      dragging = true;
      plot.setPointerCapture(event.pointerId);
      seek(timeAt(event));
    });
    plot.addEventListener("pointermove", (event) => {
      hover = Math.min(Math.max(timeAt(event), 0), data.duration);
      if (dragging) seek(timeAt(event));
    });
    plot.addEventListener("pointerup", () => { dragging = false; });
    plot.addEventListener("pointerleave", () => { hover = null; });
    plot.addEventListener("dblclick", () => Object.assign(view, { start: 0, end: data.duration }));
    plot.addEventListener("wheel", (event) => {
      event.preventDefault();
      const at = timeAt(event);
      const span = Math.min(data.duration, Math.max(1, (view.end - view.start) * Math.exp(event.deltaY * 0.002)));
      const part = (at - view.start) / (view.end - view.start);
      view.start = Math.min(Math.max(0, at - part * span), data.duration - span);
      view.end = view.start + span;
    }, { passive: false });
    plot.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
      if (event.key in steps) seek(now() + steps[event.key]);
      else if (event.key === " " && hasMedia()) player.paused ? player.play() : player.pause();
      else return;
      event.preventDefault();
    });
  }

  function follow() {
    const time = now();
    if (!player.paused && (time > view.end || time < view.start)) {
      const span = view.end - view.start;
      view.start = Math.min(time, Math.max(0, data.duration - span));
      view.end = view.start + span;
    }
  }

  function everyPicture() {
    follow();
    draw();
    highlight();
    numbers();
    requestAnimationFrame(everyPicture);
  }

  plot.setAttribute("aria-valuemax", data.duration.toFixed(1));
  fillText();
  fillSummary();
  fillLegend();
  loadMedia();
  listen();
  everyPicture();
})();
