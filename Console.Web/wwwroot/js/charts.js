// ApexCharts behind two functions: draw(panel, charts) and remove(panel). Hidden pages draw nothing and catch up when seen.
import ApexCharts from "/lib/apexcharts/apexcharts.esm.js";

const panels = new Map();
const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colours = () => [css("--chart-1"), css("--chart-2"), css("--chart-3"), css("--chart-4")];

const number = (value, digits) => value.toLocaleString("en", { maximumFractionDigits: digits });
function scaled(value, base, units) {
  let i = 0;
  while (value >= base && i < units.length - 1) { value /= base; i++; }
  return `${number(value, value < 10 && i > 0 ? 1 : 0)} ${units[i]}`;
}
const formats = {
  Percent: value => `${number(value, value < 10 ? 1 : 0)} %`,
  Mib: value => scaled(value, 1024, ["MiB", "GiB", "TiB"]),
  BytesPerSecond: value => scaled(value, 1024, ["B/s", "KiB/s", "MiB/s", "GiB/s"]),
  Number: value => number(value, 2),
};

function points(line) {
  return line.values.map((value, i) => [line.from + i * line.step * 1000, value]);
}

function options(chart, series) {
  const format = formats[chart.unit];
  const muted = css("--ink-muted");
  const utc = document.documentElement.dataset.zone === "utc";
  return {
    chart: { type: "line", height: 208, background: "transparent", fontFamily: "inherit", foreColor: muted, animations: { enabled: false }, toolbar: { show: false }, zoom: { enabled: false }, parentHeightOffset: 0 },
    theme: { mode: document.documentElement.dataset.theme },
    colors: colours(),
    series,
    stroke: { width: 2, curve: "straight" },
    markers: { size: 0, hover: { size: 4 } },
    legend: { show: false },
    dataLabels: { enabled: false },
    grid: { borderColor: css("--line"), strokeDashArray: 0, padding: { left: 8, right: 12, top: -12, bottom: 0 } },
    xaxis: { type: "datetime", labels: { datetimeUTC: utc, style: { fontSize: "11px" } }, axisBorder: { show: false }, axisTicks: { show: false }, tooltip: { enabled: false } },
    yaxis: { min: 0, max: chart.unit === "Percent" ? 100 : undefined, tickAmount: 4, forceNiceScale: chart.unit !== "Percent", labels: { formatter: value => value == null ? "" : format(value), style: { fontSize: "11px" } } },
    tooltip: { x: { format: "d MMM HH:mm:ss" }, y: { formatter: value => value == null ? "not measured" : format(value) } },
  };
}

export async function draw(panel, charts) {
  let state = panels.get(panel);
  if (!state) panels.set(panel, state = { charts: [], latest: null });
  state.latest = charts;
  if (!document.hidden) await show(panel, state);
}

async function show(panel, state) {
  const charts = state.latest;
  if (!charts) return;
  state.latest = null;
  await Promise.all(charts.map(async (chart, i) => {
    const element = panel.querySelector(`[data-chart="${i}"]`);
    const series = chart.lines.map(line => ({ name: line.name, data: points(line) }));
    if (state.charts[i]) return state.charts[i].updateSeries(series, false);
    if (!element) return;
    state.charts[i] = new ApexCharts(element, options(chart, series));
    state.plans = charts;
    await state.charts[i].render();
  }));
}

export function remove(panel) {
  for (const chart of panels.get(panel)?.charts ?? []) chart?.destroy();
  panels.delete(panel);
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) for (const [panel, state] of panels) show(panel, state);
});

document.documentElement.addEventListener("plinth:theme", () => {
  for (const [, state] of panels)
    state.charts.forEach(chart => chart?.updateOptions({ theme: { mode: document.documentElement.dataset.theme }, colors: colours(), chart: { foreColor: css("--ink-muted"), background: "transparent" }, grid: { borderColor: css("--line") } }, false, false));
});
