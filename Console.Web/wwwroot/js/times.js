// <time datetime="…" data-show="age|moment" data-stale-after="30">: text and tooltip in the reader's zone, ageing by itself.
// Blazor draws these elements empty and never touches their content.
const zone = () => document.documentElement.dataset.zone === "utc" ? "UTC" : undefined;

// The server's clock made the times; a browser's clock that is wrong must not make fresh data look old.
const served = Number(document.querySelector("meta[name=server-time]")?.content);
const skew = served && Math.abs(served - Date.now()) > 5000 ? served - Date.now() : 0;
const now = () => Date.now() + skew;

let moment, clock;
function formats() {
  const timeZone = zone();
  const suffix = timeZone ? { timeZoneName: "short" } : {};
  moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium", timeZone });
  clock = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone, ...suffix });
}
formats();

function age(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 2) return "now";
  if (s < 60) return `${s} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ago`;
  return `${Math.floor(s / 86400)} d ago`;
}

function ahead(seconds) {
  const s = Math.floor(seconds);
  if (s < 60) return `in ${s} s`;
  if (s < 3600) return `in ${Math.floor(s / 60)} min`;
  if (s < 172800) return `in ${Math.floor(s / 3600)} h`;
  return `in ${Math.floor(s / 86400)} d`;
}

function draw(element) {
  const at = Date.parse(element.dateTime);
  if (Number.isNaN(at)) return;
  const seconds = (now() - at) / 1000;
  const text = element.dataset.show === "moment" ? clock.format(at) : seconds < -2 ? ahead(-seconds) : age(seconds);
  if (element.textContent !== text) element.textContent = text;
  if (element.plinthAt !== at) {
    element.plinthAt = at;
    element.title = moment.format(at) + (zone() ? " UTC" : "");
  }
  const limit = Number(element.dataset.staleAfter);
  if (limit) element.closest("[data-observed]")?.toggleAttribute("data-stale", seconds > limit);
}

const drawAll = () => { for (const element of document.querySelectorAll("time[data-show]")) draw(element); };

new MutationObserver(changes => {
  for (const change of changes) {
    if (change.type === "attributes") draw(change.target);
    else for (const node of change.addedNodes)
      if (node.nodeType === 1) {
        if (node.matches("time[data-show]")) draw(node);
        for (const element of node.querySelectorAll("time[data-show]")) draw(element);
      }
  }
}).observe(document.documentElement, { subtree: true, childList: true, attributes: true, attributeFilter: ["datetime"] });

setInterval(() => { if (!document.hidden) drawAll(); }, 1000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) drawAll(); });

let shownIn = zone();
document.documentElement.addEventListener("plinth:theme", () => {
  if (zone() === shownIn) return;
  shownIn = zone();
  formats();
  for (const element of document.querySelectorAll("time[data-show]")) { delete element.plinthAt; draw(element); }
});

drawAll();
