// The language, the print button and the search. Without it all pages can be read, in Indonesian.
(() => {
  "use strict";
  const root = document.documentElement.dataset.root;
  const MONTHS = "January February March April May June July August September October November December".split(" ");
  const ENGLISH = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
  const attributes = ["aria-label", "placeholder"];
  const before = new Map(); // what stood in an element in Indonesian
  let language = "id";

  const load = (file) => new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = root + file;
    script.onload = done;
    script.onerror = failed;
    document.head.append(script);
  });
  const remember = (key, value) => { try { localStorage.setItem(key, value); } catch { /* not for files */ } };
  const remembered = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  const words = (key) => (language === "en" && window.JEJAK_EN ? window.JEJAK_EN[key] : undefined);

  function toEnglish(element) {
    const text = window.JEJAK_EN[element.dataset.t];
    if (text === undefined) return;
    const values = [...element.children];
    before.set(element, [...element.childNodes]);
    element.replaceChildren(...text.split("{}").flatMap((part, at) => (at ? [values[at - 1] ?? "", part] : [part])));
    element.lang = "en";
  }
  function englishForm(element) {
    before.set(element, [...element.childNodes]);
    if (element.dateTime) {
      const [year, month, day] = element.dateTime.split("-");
      element.textContent = (day ? Number(day) + " " : "") + MONTHS[month - 1] + " " + year;
    } else {
      element.textContent = (element.className === "rp" ? "Rp " : "") + ENGLISH.format(element.value);
    }
  }
  function back() {
    for (const [element, nodes] of before) { element.replaceChildren(...nodes); element.removeAttribute("lang"); }
    before.clear();
    for (const name of attributes) {
      for (const element of document.querySelectorAll(`[data-id-${name}]`)) element.setAttribute(name, element.getAttribute(`data-id-${name}`));
    }
  }
  function forward(part) {
    for (const element of part.querySelectorAll("[data-t]")) toEnglish(element);
    for (const element of part.querySelectorAll("time[datetime], data[value]")) englishForm(element);
    for (const name of attributes) {
      for (const element of part.querySelectorAll(`[data-t-${name}]`)) {
        if (!element.hasAttribute(`data-id-${name}`)) element.setAttribute(`data-id-${name}`, element.getAttribute(name));
        element.setAttribute(name, window.JEJAK_EN[element.getAttribute(`data-t-${name}`)]);
      }
    }
  }
  async function speak(chosen) {
    if (chosen === "en" && !window.JEJAK_EN) await load("aset/en.js");
    if (chosen === language) return;
    language = chosen;
    if (chosen === "en") forward(document); else back();
    const button = document.getElementById("bahasa");
    button.textContent = chosen === "en" ? "Bahasa Indonesia" : "English";
    button.lang = chosen === "en" ? "id" : "en";
    remember("bahasa", chosen);
  }

  const button = document.getElementById("bahasa");
  button.hidden = false;
  button.lang = "en";
  button.addEventListener("click", () => speak(language === "en" ? "id" : "en"));
  const asked = new URLSearchParams(location.search).get("lang") || remembered("bahasa");
  if (asked === "en") speak("en");

  const print = document.getElementById("cetak");
  if (print) { print.hidden = false; print.addEventListener("click", () => window.print()); }

  const form = document.getElementById("cari");
  if (!form) return;
  if (location.protocol === "file:") { document.getElementById("berkas").hidden = false; return; }
  const indexes = JSON.parse(form.dataset.indexes);
  const list = document.getElementById("daftar"), said = document.getElementById("hasil"), more = document.getElementById("lagi");
  const input = document.getElementById("q"), year = document.getElementById("tahun");
  const opened = new Map();
  let found = [], shown = 0, asking = 0;

  const textOf = (id) => document.getElementById("kata").content.getElementById(id).firstElementChild.cloneNode(true);
  const say = (id, count) => {
    const text = textOf(id);
    if (count !== undefined) text.firstElementChild.textContent = count;
    said.replaceChildren(text);
    if (language === "en") forward(said);
  };
  // The index of a year, in all its parts.
  async function open(year) {
    const parts = (indexes[year] || []).map((name) => new URL(name + "/", location.href));
    if (!parts.length) return { search: () => ({ results: [] }) };
    if (!opened.has(year)) {
      const engine = await import(parts[0].href + "pagefind.js");
      await engine.options({ basePath: parts[0].pathname, baseUrl: "/", excerptLength: 0 });
      await engine.init();
      for (const part of parts.slice(1)) await engine.mergeIndex(part.pathname, { baseUrl: "/" });
      opened.set(year, engine);
    }
    return opened.get(year);
  }
  // Words lose dots, dashes and slashes in the search itself. What is the number of a contract as a whole, with blanks
  // at its dashes and slashes alone, loses these too: people set them as they like.
  const NUMBER = /^[^\s/-]+(\s*[/-][\s/-]*[^\s/-]+)+$/;
  const normal = (text) => (/\d/.test(text) && text.includes("/") && NUMBER.test(text) ? text.replace(/[^0-9A-Za-z]+/g, "") : text);
  function entry(data) {
    const item = document.createElement("li"), link = document.createElement("a"), line = document.createElement("p");
    link.href = "../proses/" + data.raw_url.replace(/^\/+/, "");
    link.textContent = data.meta.title;
    const chip = document.createElement("span"), text = document.createElement("span");
    chip.className = "chip " + data.meta.status;
    text.dataset.t = "state." + data.meta.status;
    text.textContent = data.meta.words;
    chip.append(text);
    line.append(chip, " " + [data.meta.office, data.meta.place].filter(Boolean).join(" · "));
    if (data.meta.amount) {
      const amount = document.createElement("data");
      amount.className = "rp";
      amount.value = data.meta.amount.replace(/[^0-9,-]/g, "").replace(",", ".");
      amount.textContent = data.meta.amount;
      line.append(" · ", textOf("k-" + data.meta.kind), " ", amount);
    }
    item.append(link, line);
    return item;
  }
  async function show() {
    const mine = asking, part = found.slice(shown, shown + 20);
    const data = await Promise.all(part.map((each) => each.data()));
    if (mine !== asking) return;
    shown += part.length;
    const items = data.map(entry);
    list.append(...items);
    if (language === "en") items.forEach(forward);
    more.hidden = shown >= found.length;
  }
  async function search() {
    const text = input.value.trim(), mine = ++asking;
    list.replaceChildren();
    more.hidden = true;
    found = []; shown = 0;
    if (!text) { said.replaceChildren(); return; }
    say("k-wait");
    const answer = await (await open(year.value)).search(normal(text));
    if (mine !== asking) return;
    found = answer.results;
    if (found.length) say("k-found", found.length); else say("k-none");
    await show();
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    history.replaceState(null, "", "?" + new URLSearchParams(new FormData(form)));
    search();
  });
  year.addEventListener("change", search);
  more.addEventListener("click", show);
  const given = new URLSearchParams(location.search);
  if (given.get("tahun")) year.value = given.get("tahun");
  if (given.get("q")) { input.value = given.get("q"); search(); }
})();
