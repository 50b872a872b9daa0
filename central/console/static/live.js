// Keeps a page up to date: takes what the server sends and puts it in place of what is shown. Without it the page is
// complete, and as old as its last loading.
"use strict";

const STEPS = [[172800, 86400, "d"], [7200, 3600, "h"], [120, 60, "min"], [0, 1, "s"]];
const AGAIN_MS = 5000;
let ahead_ms = 0;

function age(text) {
  const seconds = Math.max(0, (Date.now() + ahead_ms - Date.parse(text)) / 1000);
  const [, size, unit] = STEPS.find(([least]) => seconds >= least);
  return `${Math.floor(seconds / size)} ${unit}`;
}

function tell_ages(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const text = age(time.dateTime);
    if (time.textContent !== text) time.textContent = text;
  }
}

function parsed(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  tell_ages(template.content);
  return template.content;
}

function outer(fragment) {
  const holder = document.createElement("div");
  holder.append(fragment.cloneNode(true));
  return holder.innerHTML;
}

function put_rows(body, rows, order) {
  const shown = new Map([...body.rows].map((row) => [row.dataset.kiosk, row]));
  for (const [name, html] of Object.entries(rows || {})) {
    const fresh = parsed(html).firstElementChild;
    const old = shown.get(name);
    if (!old) { shown.set(name, fresh); fresh.classList.add("fresh"); continue; }
    // Cell by cell, so that what has the keyboard's focus or is being read stays where it is.
    [...fresh.cells].forEach((cell, index) => {
      if (old.cells[index].outerHTML !== cell.outerHTML) old.cells[index].replaceWith(cell);
    });
  }
  if (!order) return;
  for (const [name, row] of shown) if (!order.includes(name)) row.remove();
  order.forEach((name, index) => {
    const row = shown.get(name);
    if (body.rows[index] !== row) body.insertBefore(row, body.rows[index] || null);
  });
}

function focus_place() {
  const element = document.activeElement;
  const holder = element && element.closest("[id], [data-kiosk]");
  return holder && element.matches("a[href]") ? [holder, element.getAttribute("href")] : null;
}

function take(change) {
  const place = focus_place();
  for (const [id, html] of Object.entries(change.parts || {})) {
    const part = document.getElementById(id), fresh = parsed(html);
    if (part && part.innerHTML.trim() !== outer(fresh).trim()) part.replaceChildren(fresh);
  }
  const body = document.getElementById("rows");
  if (body) put_rows(body, change.rows, change.order);
  if (place && document.activeElement === document.body) {
    const [holder, href] = place;
    const again = [...holder.querySelectorAll("a[href]")].find((link) => link.getAttribute("href") === href);
    if (again) again.focus({ preventScroll: true });
  }
}

function say(text, name) {
  const pulse = document.getElementById("pulse");
  if (!pulse || pulse.textContent === text) return;
  pulse.textContent = text;
  pulse.className = `pulse ${name}`;
}

function follow(address) {
  const source = new EventSource(address);
  source.onmessage = (event) => { take(JSON.parse(event.data)); say("Live", "live"); };
  source.addEventListener("signed-out", () => { source.close(); say("Signed out: load the page again", "lost"); });
  source.onerror = () => {
    say("No connection to the console; trying again", "lost");
    if (source.readyState === EventSource.CLOSED) setTimeout(() => follow(address), AGAIN_MS);
  };
  addEventListener("pagehide", () => source.close(), { once: true });
}

const page = document.querySelector("[data-stream]");
if (page) {
  const served = document.querySelector("meta[name=served-at]");
  if (served) ahead_ms = Date.parse(served.content) - Date.now();
  tell_ages(document);
  setInterval(() => tell_ages(document), 1000);
  follow(page.dataset.stream);
}
