// What a page can do beyond what it does without a script. Each part begins with the attribute that asks for it, and a
// page without that attribute is left alone.
"use strict";

// data-copy="ID": a button that copies the text of another element. It is hidden where nothing can be copied.
for (const button of document.querySelectorAll("[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  if (!source || !navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(source.value ?? source.textContent);
    button.textContent = button.dataset.copied;
  });
}

// data-closes="SECONDS": a part that was opened for so long. The browser then leaves the page by itself, and what somebody
// is typing would go with it. So once anything is typed the page stays, and the opened part alone goes.
for (const opened of document.querySelectorAll("[data-closes]")) {
  const end = Date.now() + opened.dataset.closes * 1000;
  document.addEventListener("input", () => {
    window.stop(); // also what the Refresh header has planned
    setTimeout(() => opened.remove(), end - Date.now());
  }, { once: true });
}

// data-all="NAME": a box that ticks every box of that name in its form, and shows when all of them are.
for (const all of document.querySelectorAll("[data-all]")) {
  const box = all.querySelector("input");
  const boxes = [...all.closest("form").querySelectorAll(`input[name="${all.dataset.all}"]`)];
  const show = () => {
    const ticked = boxes.filter((one) => one.checked).length;
    box.checked = ticked === boxes.length;
    box.indeterminate = ticked > 0 && !box.checked;
  };
  box.addEventListener("change", () => boxes.forEach((one) => { one.checked = box.checked; }));
  all.closest("form").addEventListener("change", show);
  all.hidden = false;
  show();
}

// data-grid="SEARCH": a list whose rows single keys work in, while the focus is within it and not in a text field. Which key
// does what stands in the hints, [data-keys], that the page shows: there is no other table. They can be switched off, which
// this browser remembers.
for (const grid of document.querySelectorAll("[data-grid]")) {
  const hints = document.querySelector("[data-keys]");
  if (!hints) continue;
  const toggle = hints.querySelector("[data-off]");
  const kept = "feltbok.keys";
  const words = [toggle.textContent, toggle.dataset.off];
  let off = localStorage.getItem(kept) === "off";
  const rows = [...grid.querySelectorAll("tbody tr[data-log]")];
  const current = () => document.activeElement.closest("tr[data-log]");
  const go = (by) => {
    const at = rows.indexOf(current());
    const row = rows[at < 0 ? 0 : Math.min(Math.max(at + by, 0), rows.length - 1)];
    row?.querySelector("th a").focus();
  };
  const acts = {
    next: () => go(1),
    previous: () => go(-1),
    log: () => { if (current()) location.assign(current().dataset.log); },
    tick: () => current()?.querySelector("input[type=checkbox]").click(),
    search: () => document.querySelector(grid.dataset.grid).focus(),
  };
  const bound = new Map([...hints.querySelectorAll("[data-key]")].map((hint) => [hint.dataset.key, acts[hint.dataset.does]]));
  grid.addEventListener("keydown", (event) => {
    const act = bound.get(event.key);
    const typing = event.target.matches("input:not([type=checkbox]), select, textarea");
    if (off || typing || !act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
  const show = () => { toggle.textContent = words[off ? 1 : 0]; };
  toggle.addEventListener("click", () => {
    off = !off;
    localStorage.setItem(kept, off ? "off" : "on");
    show();
  });
  hints.hidden = false;
  show();
}

// data-draw: a sheet to draw a name on with a finger, a pen or a mouse. Its path is what is handed in; a name typed below
// serves as well, and is all there is without a script.
for (const sheet of document.querySelectorAll("[data-draw]")) {
  const [svg, input, again] = ["svg", "input", "button"].map((part) => sheet.querySelector(part));
  const path = svg.querySelector("path");
  const box = svg.viewBox.baseVal;
  const most = 7900; // letters of a path; the server takes a few more
  const step = 3; // a shorter move is none
  let last = null;
  const show = (drawn) => { input.value = drawn; path.setAttribute("d", drawn); };
  const put = (event, mark) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const point = [Math.min(Math.max(Math.round(at.x), 0), box.width), Math.min(Math.max(Math.round(at.y), 0), box.height)];
    if (mark === "L" && Math.hypot(point[0] - last[0], point[1] - last[1]) < step || input.value.length > most) return;
    last = point;
    show(input.value + mark + point);
  };
  svg.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button) return;
    event.preventDefault();
    svg.setPointerCapture(event.pointerId);
    put(event, "M");
  });
  svg.addEventListener("pointermove", (event) => {
    if (svg.hasPointerCapture(event.pointerId)) put(event, "L");
  });
  again.addEventListener("click", () => show(""));
  sheet.hidden = false;
}

// data-zone="ZONE": a hint that shows itself where this machine's clock says something else than the clocks of that zone, and
// leads to the times on its own.
for (const hint of document.querySelectorAll("[data-zone]")) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const now = new Date();
  const clock = (timeZone) => now.toLocaleString("nb", { timeZone });
  if (!own || clock(own) === clock(hint.dataset.zone)) continue;
  const link = hint.querySelector("a");
  const there = new URL(link.href);
  there.searchParams.set("zone", own);
  link.href = there.href;
  hint.querySelector("span").textContent = own.split("/").pop().replaceAll("_", " ");
  hint.hidden = false;
}
