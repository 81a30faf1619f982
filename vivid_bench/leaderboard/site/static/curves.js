// One metric frame by frame, a line a method, with a cursor at the frame that the videos show.
"use strict";

(() => {
  const chart = document.getElementById("chart");
  if (!chart) return;
  const data = JSON.parse(document.getElementById("data").textContent);
  const metric = document.getElementById("metric");
  const margin = { top: 12, right: 12, bottom: 34, left: 52 };
  const colours = 8;
  let frame = 0;
  let shown = new Set([...document.querySelectorAll("#series input:checked")].map((box) => Number(box.value)));
  let cursor = null;

  const element = (name, attributes, text = "") => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    return made;
  };

  // Round steps of 1, 2 or 5 times a power of ten.
  const ticks = (low, high, count) => {
    const rough = (high - low) / count || 1;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
    const first = Math.ceil(low / step - 1e-9);
    return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(10)));
  };

  const draw = () => {
    const { times, lines } = data.curves[Number(metric.value)];
    const last = data.frames - 1;
    const width = Math.max(240, chart.clientWidth);
    const height = Math.min(320, Math.max(200, width * 0.4));
    const visible = lines.map((line, place) => ({ line, place })).filter(({ line, place }) => line && shown.has(place));
    const values = visible.flatMap(({ line }) => line.filter((value) => value !== null)).map((value) => value * times);
    const low = values.length ? Math.min(...values) : 0;
    const high = values.length ? Math.max(...values) : 1;
    const pad = (high - low || Math.abs(high) || 1) * 0.05;
    const x = (at) => margin.left + ((width - margin.left - margin.right) * at) / Math.max(1, last);
    const y = (value) => height - margin.bottom - ((height - margin.top - margin.bottom) * (value - low + pad)) / (high - low + 2 * pad);

    const svg = element("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
    for (const at of data.keyframes) {
      svg.append(element("line", { class: "keyframe", x1: x(at), x2: x(at), y1: margin.top, y2: height - margin.bottom }));
      svg.append(element("text", { class: "note", x: x(at) + 4, y: margin.top + 10 }, "keyframe"));
    }
    for (const value of ticks(low - pad, high + pad, 5)) {
      svg.append(element("line", { class: "grid", x1: margin.left, x2: width - margin.right, y1: y(value), y2: y(value) }));
      svg.append(element("text", { class: "tick", x: margin.left - 8, y: y(value) + 4, "text-anchor": "end" }, String(value)));
    }
    for (const at of ticks(0, last, width < 500 ? 5 : 10).filter(Number.isInteger)) {
      svg.append(element("text", { class: "tick", x: x(at), y: height - margin.bottom + 18, "text-anchor": "middle" }, String(at)));
    }
    svg.append(element("text", { class: "tick", x: width - margin.right, y: height - 2, "text-anchor": "end" }, "frame"));
    // Controls first, so that methods lie on top of them.
    visible.sort((a, b) => data.series[b.place].control - data.series[a.place].control);
    for (const { line, place } of visible) svg.append(path(line, place, times, x, y));
    cursor = element("line", { class: "cursor", y1: margin.top, y2: height - margin.bottom });
    cursor.place = () => { for (const end of ["x1", "x2"]) cursor.setAttribute(end, x(frame)); };
    cursor.place();
    svg.append(cursor);
    chart.frameAt = (offset) => Math.round(((offset - margin.left) / (width - margin.left - margin.right)) * last);
    chart.replaceChildren(svg);
  };

  const path = (line, place, times, x, y) => {
    let drawing = false;
    const steps = line.map((value, at) => {
      const step = value === null ? "" : `${drawing ? "L" : "M"}${x(at).toFixed(1)} ${y(value * times).toFixed(1)}`;
      drawing = value !== null;
      return step;
    });
    const { name, control } = data.series[place];
    const classes = `curve line-${place % colours} dash-${Math.floor(place / colours) % 4}${control ? " control" : ""}`;
    const made = element("path", { class: classes, d: steps.join("") });
    made.append(element("title", {}, name));
    return made;
  };

  const scrub = (event) => {
    if (!event.buttons) return;
    const wanted = chart.frameAt(event.clientX - chart.getBoundingClientRect().left);
    document.dispatchEvent(new CustomEvent("frame-wanted", { detail: Math.min(data.frames - 1, Math.max(0, wanted)) }));
  };

  metric.addEventListener("change", draw);
  chart.addEventListener("pointerdown", scrub);
  chart.addEventListener("pointermove", scrub);
  document.addEventListener("series-shown", (event) => { shown = event.detail; draw(); });
  document.addEventListener("frame-shown", (event) => { frame = event.detail; cursor?.place(); });
  new ResizeObserver(draw).observe(chart);
})();
