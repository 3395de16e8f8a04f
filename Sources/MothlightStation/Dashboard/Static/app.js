// Mothlight's only script: live parts, keys. Every page works without it.
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const status = $("#live");

  // Live parts: the server says that something changed, the page is fetched anew, and parts marked with data-live are replaced.
  // A part in which somebody works (a focus, an open form, a selection) is left alone until the next change.
  const leastGap = 5000;
  let wanted = false, busy = false, last = 0;

  const inUse = (part) =>
    part.contains(document.activeElement) && document.activeElement !== document.body ||
    $("form details[open], details.act[open]", part) !== null ||
    (() => { const s = getSelection(); return s && !s.isCollapsed && part.contains(s.anchorNode); })();

  const refresh = async () => {
    if (busy || document.hidden) { wanted = true; return; }
    const wait = last + leastGap - Date.now();
    if (wait > 0) {
      if (!wanted) { wanted = true; setTimeout(() => { wanted = false; refresh(); }, wait); }
      return;
    }
    busy = true; wanted = false; last = Date.now();
    try {
      const reply = await fetch(location.href, { credentials: "same-origin", redirect: "manual" });
      if (!reply.ok) return;
      const fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
      for (const part of document.querySelectorAll("[data-live]")) {
        const next = $(`[data-live="${CSS.escape(part.dataset.live)}"]`, fresh);
        if (next && !inUse(part) && part.innerHTML !== next.innerHTML) part.innerHTML = next.innerHTML;
      }
      if (fresh.title) document.title = fresh.title;
    } catch { /* the stream says when the station is back */ } finally { busy = false; }
  };

  if (window.EventSource && $("[data-live]")) {
    const events = new EventSource("/events");
    for (const name of ["judged", "case", "source", "census"]) events.addEventListener(name, refresh);
    events.onopen = () => { status.textContent = "Live."; };
    events.onerror = () => { status.textContent = "Not live: the station does not answer."; };
    addEventListener("pagehide", () => events.close());
    document.addEventListener("visibilitychange", () => { if (!document.hidden && wanted) refresh(); });
  }

  // Keys.
  const keys = $("#keys");
  const rows = () => [...document.querySelectorAll("main tbody th a, main .rows > li > a")];
  let leader = 0;
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const target = event.target;
    if (target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable]")) {
      if (event.key === "Escape") target.blur();
      return;
    }
    if (keys.open) return;
    if (Date.now() - leader < 1500) {
      leader = 0;
      const link = $(`nav a[data-key="${CSS.escape(event.key)}"]`);
      if (link) { event.preventDefault(); link.click(); }
      return;
    }
    switch (event.key) {
      case "/": event.preventDefault(); $("#q").focus(); break;
      case "g": leader = Date.now(); break;
      case "?": keys.showModal(); break;
      case "j": case "k": {
        const all = rows(), at = all.indexOf(document.activeElement);
        const next = all[event.key === "j" ? at + 1 : Math.max(0, at - 1)];
        if (next) next.focus();
        break;
      }
    }
  });
})();
