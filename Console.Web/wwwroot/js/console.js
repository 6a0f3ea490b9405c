// xterm.js on a WebSocket of its own. show(screen, owner) puts up the terminal; connect(screen, path) joins it to a console.
import { Terminal } from "/lib/xterm/xterm.mjs";
import { FitAddon } from "/lib/xterm/addon-fit.mjs";

const screens = new Map();

function stylesheet() {
  if (document.querySelector("link[data-xterm]")) return Promise.resolve();
  return new Promise(done => {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: "/lib/xterm/xterm.css", onload: done, onerror: done });
    link.dataset.xterm = "";
    document.head.append(link);
  });
}

export async function show(screen, owner) {
  await stylesheet();
  const terminal = new Terminal({
    fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--mono"), fontSize: 13, lineHeight: 1.2,
    scrollback: 10000, cursorBlink: true, convertEol: false,
    theme: { background: "#101114", foreground: "#e4e2dc", cursor: "#a9c1f5", selectionBackground: "#3a4a70" },
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.open(screen);
  fit.fit();
  const state = { terminal, owner, socket: null };
  // A size change while the page is being torn down has nothing left to fit.
  state.observer = new ResizeObserver(() => { if (screen.isConnected && screen.clientWidth > 0) fit.fit(); });
  state.observer.observe(screen);
  const bytes = new TextEncoder();
  terminal.onData(data => { if (state.socket?.readyState === WebSocket.OPEN) state.socket.send(bytes.encode(data)); });
  terminal.onBinary(data => { if (state.socket?.readyState === WebSocket.OPEN) state.socket.send(Uint8Array.from(data, c => c.charCodeAt(0))); });
  screen.closest(".console")?.querySelector("[data-console-clear]")?.addEventListener("click", () => { terminal.clear(); terminal.focus(); });
  screens.set(screen, state);
}

export function connect(screen, path) {
  const state = screens.get(screen);
  if (!state) return;
  state.socket?.close();
  const url = new URL(path, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = state.socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => { state.owner.invokeMethodAsync("Opened"); state.terminal.focus(); };
  socket.onmessage = event => state.terminal.write(typeof event.data === "string" ? event.data : new Uint8Array(event.data));
  socket.onclose = event => {
    // A newer connection has taken its place: its end is nobody's news.
    if (state.socket !== socket) return;
    state.terminal.write("\r\n\x1b[2m── connection ended ──\x1b[0m\r\n");
    state.owner.invokeMethodAsync("Closed", event.reason ?? "").catch(() => { /* the circuit is gone */ });
  };
}

export function remove(screen) {
  const state = screens.get(screen);
  if (!state) return;
  screens.delete(screen);
  state.observer.disconnect();
  const socket = state.socket;
  state.socket = null;
  socket?.close();
  state.terminal.dispose();
}
