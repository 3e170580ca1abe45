// Live page: changed parts are fetched as HTML and replace the element of their id. Every page works without this.
const doc = document, root = doc.documentElement, { mode: live, name: own, tz } = root.dataset, on = addEventListener;
const $ = (id) => doc.getElementById(id), all = (what, of = doc) => [...of.querySelectorAll(what)], seen = {}, strips = {};

// Times in the viewer's zone, unless the address names one; distances tick.
const two = (n) => ("0" + n).slice(-2), brief = (ms) => {
  const s = Math.max(0, ms / 1000 | 0), m = s / 60 | 0, h = m / 60 | 0;
  return s < 60 ? s + "s" : m < 60 ? m + "m" : h < 24 ? h + "h" + (m % 60 ? ` ${m % 60}m` : "") : (h / 24 | 0) + " d";
};
const hours = (at) => two(at.getHours()) + ":" + two(at.getMinutes()), clock = (at, exact) => {
  const now = new Date(), date = at.toDateString(), time = hours(at) + (exact ? ":" + two(at.getSeconds()) : "");
  const [, month, day, year] = date.split(" ");
  return date === now.toDateString() ? time : `${+day} ${month}${+year === now.getFullYear() ? "" : " " + year} ${time}`;
};
const forms = {
  h: (at) => tz ? "" : hours(at), c: (at) => tz ? "" : clock(at), s: (at) => tz ? "" : clock(at, 1), a: (at, now) => brief(now - at) + " ago", f: (at, now) => brief(now - at),
  n: (at, now) => now < at ? brief(at - now) : "now", i: (at, now) => now < at ? "in " + brief(at - now) : "now",
};
const times = (of) => all("time[data-f]", of).forEach((one) => {
  const text = forms[one.dataset.f](new Date(one.dateTime), Date.now());
  if (text && one.textContent !== text) one.textContent = text;
});

// Replaces what differs; focus, open details and typed text stay.
const ready = (of) => { times(of); all(".copy", of).forEach((one) => { one.hidden = 0; }); };
let said = $("say").textContent, quiet = 0, alive = Date.now(), ticked = alive, up, opened, lost;
const swap = (from) => all("[data-live]", from).forEach((next) => {
  const old = $(next.id), html = next.outerHTML, text = next.dataset.say, held = doc.activeElement;
  if (!old || seen[next.id] === html) return;
  seen[next.id] = html;
  const key = (one) => (one.id || one.name || one.getAttribute("href") || one.textContent) + one.form?.getAttribute("action");
  const same = (one, of) => all(one.tagName, of).filter((other) => key(other) === key(one)), like = (one) => same(one, next)[same(one, old).indexOf(one)];
  const focus = old.contains(held) && like(held);
  all("details, input, select, textarea", old).forEach((one) => {
    const other = like(one);
    if (other && one.type !== "hidden") { other.open = one.open; other.value = one.value; }
  });
  old.replaceWith(next);
  ready(next);
  if (focus) { focus.focus({ preventScroll: 1 }); focus.setSelectionRange?.(held.selectionStart, held.selectionEnd); }
  if (text && text !== said && quiet < Date.now()) { $("say").textContent = said = text; quiet = Date.now() + 5000; }
});
const parsed = doc.createElement("template");
const load = (url) => fetch(url).then(async (answer) => { if (answer.ok) { parsed.innerHTML = await answer.text(); swap(parsed.content); alive = Date.now(); } }).catch(() => 0);
const later = (wait, run, timer) => () => { timer ||= setTimeout(() => { timer = 0; run(); }, wait); };

// Stream of changes; a page that may be stale says so.
const whole = later(+live || 500, () => load(location.href)), head = later(2000, () => load("/fragment/head" + location.search)), other = live === "rows" ? head : whole;
const listen = () => {
  const stream = new EventSource("/api/v1/changes");
  stream.onopen = () => { if (opened) whole(); up = opened = 1; };
  stream.onerror = () => { up = 0; if (stream.readyState === 2) setTimeout(listen, 5000); };
  for (const type of ["receiver", "silence", "daemon"]) stream.addEventListener(type, other);
  stream.addEventListener("reset", whole);
  stream.addEventListener("integration", ({ data }) => {
    const { id, name } = JSON.parse(data), row = $("r" + id);
    if (row) load(all("[data-strip]", row)[0].dataset.strip.replace("strip", "row") + location.search);
    if (!own || own === name) other();
  });
};
const probe = () => fetch("/healthz", { signal: AbortSignal.timeout(5000) }).then(({ ok }) => { if (ok && up) alive = Date.now(); }, () => 0);
const tick = () => {
  const now = Date.now(), state = $("live"), was = lost;
  lost = 20000 < now - alive;
  if ((was && !lost || 30000 < now - ticked) && !doc.hidden) whole();
  ticked = now;
  state.dataset.state = state.firstChild.textContent = lost ? "reconnecting" : "live";
  root.classList.toggle("is-stale", lost);
  if (!doc.hidden) times();
};

// Strips: the pointer or arrow keys name a run, a click or Enter leads to it.
const tip = doc.createElement("div"), strip = ({ target }) => target.closest?.("[data-strip]");
const point = async (box, at) => {
  const { base, runs } = await (strips[box.dataset.strip] ||= fetch(box.dataset.strip).then((answer) => answer.json()));
  const run = runs[at - 90 + runs.length], { left, width, bottom } = box.firstElementChild.getBoundingClientRect();
  tip.hidden = !run;
  box.run = run && { at, url: base + run[0] };
  if (run) tip.textContent = clock(new Date(run[1]), 1) + ", " + run[2];
  tip.style.left = scrollX + Math.max(4, Math.min(left + width * at / 90 - 60, innerWidth - tip.offsetWidth - 8)) + "px";
  tip.style.top = scrollY + bottom + 6 + "px";
};
on("pointermove", (event) => { const box = strip(event); const place = box?.firstElementChild.getBoundingClientRect(); if (box) point(box, Math.floor((event.clientX - place.left) / place.width * 90)); else tip.hidden = 1; });
on("focusin", (event) => { const box = strip(event); if (box?.matches(":focus-visible")) point(box, 89); else tip.hidden = 1; });
on("keydown", (event) => {
  const { key } = event, box = strip(event), step = { ArrowLeft: -1, ArrowRight: 1 }[key], slash = key === "/" && $("q") && !event.target.form;
  if (key === "Escape") tip.hidden = 1;
  if (box && step) point(box, Math.min(89, Math.max(0, (box.run?.at ?? 89) + step)));
  if (slash) $("q").focus();
  if (slash || box && step) event.preventDefault();
});
on("click", (event) => {
  const { target } = event, box = strip(event), copy = target.closest(".fix .copy"), fold = target.closest(".group a");
  if (event.metaKey || event.ctrlKey) return;
  if (copy) {
    const [code] = all("code", copy.parentNode), select = () => getSelection().selectAllChildren(code);
    navigator.clipboard?.writeText(code.textContent).then(() => { copy.textContent = "Copied"; }, select) ?? select();
  }
  if (fold) { history.replaceState(0, "", fold.href); load(fold.href); }
  if (box?.run) location = box.run.url;
  if (fold || box?.run) event.preventDefault();
});
on("change", ({ target }) => { if (target.matches(".filter > select")) target.form.requestSubmit(); });

root.classList.add("js");
all("[data-live]").forEach((one) => { seen[one.id] = one.outerHTML; });
tip.className = "tip";
tip.hidden = 1;
doc.body.append(tip);
ready();
if (live) { if (live === "poll") setInterval(() => load(location.href), 15000); else { listen(); setInterval(probe, 5000); } setInterval(tick, 1000); tick(); }
