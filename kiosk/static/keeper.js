"use strict";
// For staff: how this kiosk is, behind a gesture and a PIN; and pairing, for which the code alone is the right.
// The gesture: three seconds on the line with the place, or Ctrl+Alt+K.
(() => {
  const otklik = (window.otklik = window.otklik || {});
  const HOLD = 3_000;
  const QUIET = 60_000;
  const TRIES = 5;
  const LOCKED = 60_000;
  const PIN_TIMEOUT = 4_000;
  const FRESH = 2_000;
  const PIN_LENGTH = 8;
  const CODE_LENGTH = 8;
  const MEGABYTE = 1_048_576;
  const root = document.documentElement;

  function make(tag, { text, on = {}, ...attributes } = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    for (const [name, listener] of Object.entries(on)) element.addEventListener(name, listener);
    if (text !== undefined) element.textContent = text;
    element.append(...children);
    return element;
  }

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const bytes = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

  async function matches({ salt, iterations, hash }, pin) {
    const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(pin), "PBKDF2", false, ["deriveBits"]);
    const rule = { name: "PBKDF2", hash: "SHA-256", salt: bytes(salt), iterations };
    const derived = new Uint8Array(await crypto.subtle.deriveBits(rule, key, 256));
    return bytes(hash).every((byte, place) => byte === derived[place]);
  }

  otklik.keeper = ({ kiosk, outbox, sender, device }) => {
    const dialog = make("dialog", { class: "keeper", "aria-labelledby": "keeper-title" });
    const since = new Date();
    let all = null; // the words, loaded when they are first needed
    let words = {};
    let closed = false; // an unpaired kiosk in a chain that takes none: there is nothing behind this page
    let quietTimer = 0;
    let freshTimer = 0;
    let onDigit = () => {};

    // The PIN

    let tries = { wrong: 0, until: 0 };

    async function spend() {
      tries = (await outbox.recall("tries").catch(() => null)) || tries;
      const left = tries.until - Date.now();
      if (left > LOCKED) tries.until = Date.now() + LOCKED; // the clock was set back meanwhile
      if (left > 0) return Math.ceil(Math.min(left, LOCKED) / 1000);
      const wrong = (tries.wrong + 1) % TRIES;
      await note({ wrong, until: wrong ? 0 : Date.now() + LOCKED });
      return 0;
    }

    function note(next) {
      tries = next;
      return outbox.remember("tries", tries).catch(() => {});
    }

    // Resolves with null for the right PIN, else with the name of what to say. The server is asked where it knows
    // better; what it said last time helps without a network.
    async function refusal(pin) {
      const own = crypto.subtle && device.token() ? device.settings().pin : undefined;
      if (own === null) return "no_pin";
      if (own) return (await matches(own, pin)) ? null : "wrong_pin";
      const { status, json } = await otklik.ask(`${kiosk.device_at}/pin`, kiosk.point, { pin }, PIN_TIMEOUT).catch(() => ({}));
      if (status === 200 && json && json.pin) return void outbox.remember("pin", json.pin).catch(() => {}) || null;
      if (status === 429) return "busy";
      if (status === 403 && json) return json.error === "no_pin" ? "no_pin" : "wrong_pin";
      const learnt = ((device.pairing() || {}).settings || {}).pin || (await outbox.recall("pin").catch(() => null));
      if (!learnt || !crypto.subtle) return "unlearnt_pin";
      return (await matches(learnt, pin)) ? null : "wrong_pin";
    }

    async function unlock(pin, say) {
      const wait = await spend();
      if (wait) return say(fill(words.locked, { n: wait }));
      const why = await refusal(pin);
      if (!why) {
        await note({ wrong: 0, until: 0 });
        return showStatus();
      }
      if (why !== "wrong_pin") await note({ wrong: Math.max(0, tries.wrong - 1), until: 0 });
      return say(words[why]);
    }

    // Pages of keys

    const button = (name, click, kind = "quiet") => make("button", { type: "button", class: kind, text: words[name], on: { click } });
    const title = (text) => make("h1", { id: "keeper-title", tabindex: "-1", text });

    function page(...children) {
      clearInterval(freshTimer);
      dialog.replaceChildren(make("div", { class: "keeper-page" }, ...children));
      dialog.scrollTop = 0;
    }

    function keys({ name, length, show, done, submit }) {
      let entered = "";
      let busy = false;
      const entry = make("output", { class: "keeper-entry", "aria-label": words[name] });
      const said = make("p", { class: "keeper-said", role: "status" });
      const draw = () => (entry.textContent = show(entered));
      const type = (digit) => {
        if (busy || entered.length === length) return;
        entered += digit;
        said.textContent = "";
        draw();
      };
      const erase = () => {
        entered = entered.slice(0, -1);
        draw();
      };
      const finish = async () => {
        if (busy || !entered) return;
        busy = true;
        said.textContent = words.asking;
        const given = entered;
        entered = "";
        draw();
        await done(given, (text) => (said.textContent = text)).catch(() => (said.textContent = words.device));
        busy = false;
      };
      onDigit = (key) => (key === "Backspace" ? erase() : key === "Enter" ? finish() : type(key));
      const key = (text, click, attributes = {}) => make("button", { type: "button", text, on: { click }, ...attributes });
      const digit = (value) => key(value, () => type(value));
      const pad = make("div", { class: "keeper-keys" },
        ..."1234567890".split("").map(digit), key("⌫", erase, { "aria-label": words.erase }),
        key(words[submit], finish, { class: "main" }));
      return [entry, said, pad];
    }

    function showPin() {
      const show = (entered) => "•".repeat(entered.length);
      page(title(words.staff), make("p", { class: "keeper-help", text: words.pin }),
        ...keys({ name: "pin", length: PIN_LENGTH, show, done: unlock, submit: "open" }),
        make("div", { class: "keeper-row" }, button("pair", showPairing), button(closed ? "back" : "close", closed ? showPairing : close)));
      dialog.querySelector("h1").focus();
    }

    async function pair(code, say) {
      const why = await device.pair(code);
      if (why) return say(words[why]);
      say(fill(words.paired, device.pairing()));
      return sender.now();
    }

    function showPairing() {
      const show = (entered) => entered.replace(/(....)(.)/, "$1 $2");
      page(title(closed ? words.unpaired : words.pair),
        make("p", { class: "keeper-help", text: closed ? words.unpaired_help : words.pair_help }),
        ...keys({ name: "code", length: CODE_LENGTH, show, done: pair, submit: "pair" }),
        make("div", { class: "keeper-row" }, closed ? button("staff", showPin) : button("back", showPin)));
      dialog.querySelector("h1").focus();
    }

    // How it is

    // Where the browser knows nothing of Belarusian it writes numbers and dates as in Russian: they look the same.
    const locales = () => [root.lang, "ru"];
    const moment = (at) => (at ? new Date(at).toLocaleString(locales()) : words.never);
    const yesNo = (value) => (value === undefined ? words.unknown : value ? words.yes : words.no);

    function clockText() {
      const ahead = otklik.clock.ahead();
      if (ahead === null) return words.unknown;
      const seconds = Math.round(Math.abs(ahead) / 1000);
      if (seconds < 2) return words.clock_right;
      return fill(ahead > 0 ? words.clock_behind : words.clock_ahead, { n: seconds.toLocaleString(locales()) });
    }

    function nameText() {
      const pairing = device.pairing();
      if (!pairing) return words.not_paired;
      return pairing.refused ? fill(words.forgotten, pairing) : pairing.name;
    }

    async function facts() {
      const state = await device.state();
      const { at, outcome } = sender.last();
      const inMegabytes = (size) => Math.round(size / MEGABYTE).toLocaleString(locales());
      const size = { used: inMegabytes(state.storage_used), all: inMegabytes(state.storage_quota) };
      return [state, [
        ["queue", state.queue_length.toLocaleString(locales())],
        ["oldest", state.oldest_queued_at ? moment(state.oldest_queued_at) : "–"],
        ["sync", outcome ? `${moment(at)}: ${words[`sync_${outcome}`] || outcome}` : words.never],
        ["name", nameText()],
        ["beat", moment(device.beatAt())],
        ["place", kiosk.words[root.lang]._place],
        ["clock", clockText()],
        ["storage", state.storage_quota === undefined ? words.unknown : fill(words.storage_of, size)],
        ["persisted", yesNo(state.storage_persisted)],
        ["version", kiosk.shell],
        ["boot", moment(since)],
      ]];
    }

    // The title is the answer; the rest how we know.
    function headline({ queue_length: queue, quarantined }) {
      if (queue) return fill(words.waiting, { n: queue.toLocaleString(locales()) });
      return quarantined ? fill(words.refused, { n: quarantined.toLocaleString(locales()) }) : words.delivered;
    }

    async function showStatus() {
      const heading = title("");
      const list = make("dl", { class: "keeper-facts" });
      const said = make("p", { class: "keeper-said", role: "status" });
      const aside = make("section", { class: "keeper-aside", hidden: "" });
      const again = button("again", () => outbox.readmit().then(sender.now).then(refresh));
      const end = button("part", () => {
        if (end.textContent !== words.sure) return void (end.textContent = words.sure);
        return device.part().then(refresh);
      });

      async function refresh() {
        const [state, rows] = await facts();
        heading.textContent = headline(state);
        list.replaceChildren(...rows.flatMap(([name, text]) => [make("dt", { text: words[name] }), make("dd", { text })]));
        end.hidden = !device.pairing();
        again.hidden = !state.quarantined;
        aside.hidden = !state.quarantined;
        if (aside.dataset.shown !== String(state.quarantined)) await showAside(aside, state.quarantined);
      }

      async function leave() {
        if (document.fullscreenElement) await document.exitFullscreen();
        window.close();
        said.textContent = words.leave_help;
      }

      onDigit = () => {};
      await refresh();
      page(heading, list, said,
        make("div", { class: "keeper-row" },
          button("send", () => sender.now().then(refresh), "main"),
          button("export", async () => (said.textContent = fill(words.exported, { name: await exportAll() }))),
          again, button("pair", showPairing), end, button("leave", leave), button("close", close)),
        aside);
      freshTimer = setInterval(() => refresh().catch(() => {}), FRESH);
      heading.focus();
    }

    async function showAside(section, count) {
      section.dataset.shown = String(count);
      const records = await outbox.all("quarantine");
      section.replaceChildren(
        make("h2", { text: words.aside }), make("p", { text: words.aside_help }),
        make("ol", {}, ...records.slice(0, 100).map(({ error, item }) => make("li", {},
          `${moment(item.occurred_at)}: ${words[`why_${error}`] || words.why} `, make("code", { text: error })))));
    }

    async function exportAll() {
      const { occurred_at, ...clock } = otklik.clock.stamp();
      const [items, aside] = await Promise.all([outbox.all("items"), outbox.all("quarantine")]);
      const file = {
        otklik: "kiosk-queue",
        version: 1,
        exported_at: occurred_at,
        ...clock,
        responses: items.map(({ item }) => item),
        quarantine: aside.map(({ id, error, item }) => ({ id, error, item })),
      };
      const href = URL.createObjectURL(new Blob([JSON.stringify(file, null, 1)], { type: "application/json" }));
      const download = `otklik-${kiosk.point.slice(0, 8)}-${occurred_at.slice(0, 19).replace(/:/g, "-")}.json`;
      make("a", { href, download }).click();
      setTimeout(() => URL.revokeObjectURL(href), LOCKED);
      return download;
    }

    // Opening and closing

    async function learnWords() {
      all = all || (await (await fetch(kiosk.keeper_words, { credentials: "omit" })).json());
      words = all[root.lang] || all.en;
    }

    async function open(show) {
      await learnWords();
      if (!dialog.open) dialog.showModal();
      touch();
      show();
    }

    function close() {
      clearInterval(freshTimer);
      clearTimeout(quietTimer);
      delete root.dataset.keeper;
      if (closed) return showPairing();
      return dialog.close();
    }

    // While hands are on it, nothing reloads the page beneath; left alone, it goes.
    function touch() {
      if (!dialog.open) return; // the key that closed it comes up
      root.dataset.keeper = "open";
      clearTimeout(quietTimer);
      quietTimer = setTimeout(close, QUIET);
    }

    // A chain that takes no unpaired kiosks: pairing stands before the question, and the queue goes on being sent.
    function watchPairing() {
      const before = closed;
      closed = Boolean(device.settings().require_pairing && !device.token());
      if (closed && !dialog.open) {
        otklik.whenIdle(() => closed && open(showPairing).then(() => delete root.dataset.keeper).catch(() => setTimeout(watchPairing, QUIET)));
      } else if (before && !closed) close();
    }

    function onKey(event) {
      const { key } = event;
      event.stopPropagation();
      touch();
      const native = event.target.closest("button") && key === "Enter";
      if (native || !/^([0-9]|Backspace|Enter)$/.test(key)) return;
      event.preventDefault();
      onDigit(key);
    }

    function watchGesture() {
      const line = ".kiosk-place";
      let timer = 0;
      const stop = () => clearTimeout(timer);
      document.addEventListener("pointerdown", ({ target }) => {
        if (target.closest(line)) timer = setTimeout(() => open(showPin).catch(() => {}), HOLD);
      });
      for (const type of ["pointerup", "pointercancel", "scroll"]) document.addEventListener(type, stop);
      document.addEventListener("pointermove", ({ target }) => target.closest && target.closest(line) || stop());
      document.addEventListener("contextmenu", (event) => event.target.closest(line) && event.preventDefault());
      document.addEventListener("keydown", (event) => {
        if (event.ctrlKey && event.altKey && event.code === "KeyK") open(showPin).catch(() => {});
      });
    }

    for (const type of ["pointerdown", "click", "input", "keyup"]) {
      dialog.addEventListener(type, (event) => {
        event.stopPropagation();
        touch();
      });
    }
    dialog.addEventListener("keydown", onKey);
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      close();
    });
    document.body.append(dialog);
    watchGesture();
    device.ready.then(watchPairing);
    device.onSettings(watchPairing);
  };
})();
