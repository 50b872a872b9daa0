// Draws a kiosk's history. The same figures stand as words beside each chart, for who has no script or does not see it.
"use strict";

const HEIGHT_PX = 150;
const REFRESH_MS = 60000;

function colour(name) {
  // A canvas knows no light-dark(): ask an element what it has become.
  const probe = document.createElement("span");
  probe.className = `ink-${name}`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function clock(_, seconds, index, space, step_s) {
  return seconds.map((at_s) => {
    const [day, time] = new Date(at_s * 1000).toISOString().split("T");
    return step_s >= 86400 || time.startsWith("00:00") ? day.slice(5) : time.slice(0, 5);
  });
}

function options(plot) {
  const axis = { stroke: colour("faint"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
  return {
    width: plot.clientWidth, height: HEIGHT_PX, legend: { show: false }, tzDate: (at_s) => uPlot.tzDate(new Date(at_s * 1000), "Etc/UTC"),
    cursor: { y: false, points: { size: 6 } },
    scales: { y: { range: (_, low, high) => [Math.min(0, low), high > 0 ? high * 1.1 : 1] } },
    axes: [{ ...axis, values: clock, space: 64, size: 28 }, { ...axis, size: 46 }],
    series: [{}, { stroke: colour("accent"), fill: colour("wash"), width: 1.75, spanGaps: false, points: { size: 4 } }],
  };
}

async function draw(holder, drawn) {
  const answer = await fetch(holder.dataset.history, { credentials: "same-origin" });
  if (!answer.ok) return;
  const history = await answer.json();
  for (const plot of holder.querySelectorAll(".plot")) {
    const figures = history[plot.dataset.metric];
    if (drawn.has(plot)) drawn.get(plot).setData(figures);
    else drawn.set(plot, new uPlot(options(plot), figures, plot));
  }
}

const holder = document.querySelector("[data-history]");
if (holder) {
  const drawn = new Map();
  draw(holder, drawn);
  setInterval(() => draw(holder, drawn), REFRESH_MS);
  new ResizeObserver(() => {
    for (const [plot, chart] of drawn) chart.setSize({ width: plot.clientWidth, height: HEIGHT_PX });
  }).observe(holder);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const chart of drawn.values()) chart.destroy();
    drawn.clear();
    draw(holder, drawn);
  });
}
