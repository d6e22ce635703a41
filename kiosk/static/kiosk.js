"use strict";
// One question a screen. The screens stand in the page as they came from the server; each time one is shown, a fresh
// copy is taken, so that nothing of the last shopper is left.
(() => {
  const { adoptOrphans, outbox: makeOutbox, prepareForOffline, sender: makeSender, uuid7, watchForNews } = window.otklik;
  const IDLE = 30_000;
  const THANKS = 5_000;
  const TOUCH_EVERY = 5_000;
  const SAFETY_NET = 5_000;
  const NUMERIC = ["smiley4", "smiley5", "rating", "nps", "ces", "number"];

  const root = document.documentElement;
  const main = document.querySelector("main");
  const notice = document.querySelector("[role=status]");
  const kiosk = JSON.parse(document.getElementById("kiosk-data").textContent);
  const screens = new Map();
  const outbox = makeOutbox((count) => (root.dataset.queued = String(count)));
  const sender = makeSender(kiosk.send_to, outbox);

  let language = kiosk.language;
  let tap = null; // {item, index, saved, writing}: the shopper's answer so far, and whether all of it is on disk
  let busy = false;
  let idleTimer = 0;
  let touchedAt = 0;

  // Words

  function say(part) {
    const words = kiosk.words[language];
    for (const element of part.querySelectorAll("[data-word]")) element.textContent = words[element.dataset.word];
    for (const element of part.querySelectorAll("[data-word-label]")) {
      element.setAttribute("aria-label", words[element.dataset.wordLabel]);
    }
  }

  function speak(code) {
    language = code;
    root.lang = code;
    say(document);
    for (const button of document.querySelectorAll("[data-language]")) {
      button.setAttribute("aria-pressed", String(button.dataset.language === code));
    }
  }

  // Screens

  function gather() {
    screens.set(kiosk.questions[0].key, main.firstElementChild.cloneNode(true));
    for (const template of document.querySelectorAll("template[data-name]")) {
      screens.set(template.dataset.name, template.content.firstElementChild);
    }
  }

  function show(name, screen, focus = true) {
    const fresh = screens.get(name).cloneNode(true);
    say(fresh);
    main.replaceChildren(fresh);
    root.dataset.screen = screen;
    if (focus) fresh.querySelector("h1").focus({ preventScroll: true });
  }

  function toQuestion({ forget = true } = {}) {
    tap = null;
    busy = false;
    if (forget && language !== kiosk.language) speak(kiosk.language);
    show(kiosk.questions[0].key, "question", false);
    rest();
  }

  function sayNotKept() {
    notice.textContent = kiosk.words[language]._not_kept;
    setTimeout(() => (notice.textContent = ""), THANKS);
  }

  // What to ask next; the same rule as the server's, which has the last word.

  function holds(rule, answers) {
    if (!rule) return true;
    const value = answers[rule.question];
    if (value === undefined) return false;
    if (rule.any_of) return rule.any_of.includes(value);
    if (typeof value !== "number") return false;
    return (rule.at_least === null || value >= rule.at_least) && (rule.at_most === null || value <= rule.at_most);
  }

  function advance() {
    const { questions } = kiosk;
    do tap.index += 1;
    while (tap.index < questions.length && !holds(questions[tap.index].show_if, tap.item.answers));
    if (tap.index === questions.length) return finish();
    const { key, type } = questions[tap.index];
    show(key, type === "text" ? "comment" : "reason");
    return rest();
  }

  // A tap and its follow-up are one item, kept from the first touch on.

  function begin(key, value) {
    const now = new Date();
    const item = {
      id: uuid7(now.getTime()),
      point: kiosk.point,
      form_version: kiosk.form_version,
      occurred_at: now.toISOString(),
      language,
      answers: { [key]: value },
    };
    tap = { item, index: 0, saved: Promise.resolve(), writing: 0 };
    write(tap, () => outbox.keep(item));
    advance();
  }

  function write(to, work) {
    to.writing += 1;
    to.saved = to.saved.then(work);
    to.saved.then(() => (to.writing -= 1), () => {});
  }

  function answer(key, value) {
    notice.textContent = "";
    if (!tap) return begin(key, value);
    const { item } = tap;
    item.language = language;
    item.answers = { ...item.answers, [key]: value };
    const part = { answers: item.answers, language };
    write(tap, () => outbox.revise(item.id, part));
    return advance();
  }

  // Without its closing an item is sent too, only later: thanks need not wait for it.
  async function release({ item }) {
    await outbox.close(item.id).catch(() => {});
    sender.send();
  }

  // Resolves with whether the answer is on disk or, where the device keeps nothing, with the server.
  async function secure({ item, saved }) {
    try {
      await saved;
      return true;
    } catch {
      return sender.direct(item).catch(() => false);
    }
  }

  function thank() {
    release(tap);
    tap = null;
    show("_thanks", "thanks");
    rest();
  }

  // Thanks are said when the answer is on disk, never before.
  async function finish() {
    if (!tap.writing) return thank();
    busy = true;
    const kept = await secure(tap);
    busy = false;
    if (kept) return thank();
    toQuestion({ forget: false });
    return sayNotKept();
  }

  // Nobody is there any more: what was answered counts, what was typed and not sent does not.
  async function leave() {
    if (busy) return;
    const left = tap;
    toQuestion();
    if (!left) return;
    if (await secure(left)) release(left);
    else sayNotKept();
  }

  function rest() {
    clearTimeout(idleTimer);
    const { screen } = root.dataset;
    if (screen === "thanks") idleTimer = setTimeout(toQuestion, THANKS);
    else if (tap || language !== kiosk.language) idleTimer = setTimeout(leave, IDLE);
  }

  function noteLife() {
    if (root.dataset.screen === "thanks") return;
    rest();
    const now = performance.now();
    if (!tap || now - touchedAt < TOUCH_EVERY) return;
    touchedAt = now;
    outbox.touch(tap.item.id).catch(() => {});
  }

  // Touches and keys

  const asked = () => kiosk.questions[tap ? tap.index : 0];

  function read({ key, type }, raw) {
    if (type === "consent") return answer(key, raw === "true");
    return answer(key, NUMERIC.includes(type) ? Number(raw) : raw);
  }

  function onClick(event) {
    const button = event.target.closest("button");
    // The second half of a double tap on a smiley must not answer the screen that came after it.
    if (busy || (event.detail > 1 && root.dataset.screen !== "question")) return;
    if (root.dataset.screen === "thanks") return void toQuestion();
    if (!button) return;
    const { answer: smiley, choice } = button.dataset;
    if ("skip" in button.dataset) advance();
    else if (smiley !== undefined || choice !== undefined) read(asked(), smiley === undefined ? choice : smiley);
  }

  function onSubmit(event) {
    event.preventDefault();
    if (busy) return;
    const field = event.target.querySelector("textarea, input");
    const written = field.value.trim();
    if (written) read(asked(), written);
    else if (tap) advance();
  }

  function onLanguage(event) {
    const button = event.target.closest("[data-language]");
    if (button) speak(button.dataset.language);
  }

  function start() {
    gather();
    main.addEventListener("click", onClick);
    main.addEventListener("submit", onSubmit);
    document.querySelector(".kiosk-languages").addEventListener("click", onLanguage);
    for (const type of ["pointerdown", "keydown", "input"]) document.addEventListener(type, noteLife);
    window.addEventListener("online", sender.send);
    window.addEventListener("pageshow", (event) => event.persisted && toQuestion());
    document.addEventListener("visibilitychange", () => document.hidden || sender.send());
    setInterval(() => root.dataset.queued === "0" || sender.nudge(), SAFETY_NET);
    watchForNews(kiosk.page, () => !tap && root.dataset.screen === "question");
    adoptOrphans(outbox).catch(() => {}).then(sender.send);
    outbox.tell().catch(() => (root.dataset.queued = "0"));
    prepareForOffline(kiosk, outbox).then(() => (root.dataset.ready = "true"));
  }

  start();
})();
