"use strict";
// One question a screen. The screens stand in the page as they came from the server; each time one is shown, a fresh
// copy is taken, so that nothing of the last shopper is left.
(() => {
  const { otklik } = window;
  const IDLE = 30_000;
  const WARN = 10_000;
  const SECOND = 1_000;
  const THANKS = 5_000;
  const TOUCH_EVERY = 5_000;
  const HANDS_OFF = 2_000;
  const DOUBLE_TAP = 500;
  const AFTER_TOUCH = 150;
  const NUMERIC = ["smiley4", "smiley5", "rating", "nps", "ces", "number"];

  const root = document.documentElement;
  const main = document.querySelector("main");
  const foot = document.querySelector(".kiosk-foot");
  const notice = document.querySelector(".kiosk-notice");
  const said = document.querySelector(".kiosk-said");
  const choice = document.querySelector(".kiosk-languages");
  const languageButtons = new Map(Array.from(choice.children, (button) => [button.dataset.language, button]));
  const kiosk = JSON.parse(document.getElementById("kiosk-data").textContent);
  const first = kiosk.questions[0].key;
  const screens = new Map();
  const facts = {}; // what stands for {names} in the words
  const fit = otklik.fit(main);
  const misuse = otklik.misuse(markHeld);
  const outbox = otklik.outbox((count) => (root.dataset.queued = String(count)));
  const device = otklik.device(kiosk, outbox);
  const sender = otklik.sender(kiosk.send_to, outbox, device);

  let settings = device.settings();
  let home = kiosk.language; // what the next shopper finds
  let language = kiosk.language;
  let tap = null; // {item, index, saved, writing}: the shopper's answer so far, and whether all of it is on disk
  let busy = false;
  let ambience = null;
  let audio = null;
  let shownAt = 0;
  let idleTimer = 0;
  let deadline = 0;
  let still = null; // the warning, while it is shown
  let touchedAt = -Infinity;

  const isShown = (screen) => root.dataset.screen === screen;
  const field = () => main.querySelector("textarea, input");
  const typed = () => Boolean(field() && field().value);
  const begun = () => Boolean(tap) || typed() || language !== home;
  const free = () => !begun() && !busy && (isShown("question") || isShown("closed"));

  // Words

  function say(part, code = language) {
    const words = kiosk.words[code];
    for (const element of part.querySelectorAll("[data-word]")) {
      element.textContent = words[element.dataset.word].replace(/\{(\w+)\}/g, (_, name) => facts[name]);
    }
    for (const element of part.querySelectorAll("[data-word-label]")) {
      element.setAttribute("aria-label", words[element.dataset.wordLabel]);
    }
  }

  function speak(code) {
    language = code;
    root.lang = code;
    say(document);
    fitWords();
    for (const [own, button] of languageButtons) button.setAttribute("aria-pressed", String(own === code));
  }

  const fitWords = () => fit(main.querySelector("h1").textContent);

  // Screens

  function gather() {
    screens.set(first, main.firstElementChild.cloneNode(true));
    for (const template of document.querySelectorAll("template[data-name]")) {
      screens.set(template.dataset.name, template.content.firstElementChild);
    }
  }

  function show(name, screen) {
    const fresh = screens.get(name).cloneNode(true);
    say(fresh);
    stay();
    main.replaceChildren(fresh);
    root.dataset.screen = screen;
    shownAt = performance.now();
    fitWords();
    fresh.querySelector("h1").focus({ preventScroll: true });
  }

  function toQuestion({ forget = true } = {}) {
    tap = null;
    busy = false;
    show(first, "question");
    if (forget && language !== home) speak(home);
    getSelection().removeAllRanges();
    window.scrollTo(0, 0);
    rest();
    obey();
  }

  function sayNotKept(word = "_not_kept") {
    notice.textContent = kiosk.words[language][word];
    setTimeout(() => (notice.textContent = ""), THANKS);
  }

  // Settings from afar: nothing changes under a shopper's hands.

  function obey() {
    const given = device.settings();
    if (!free() || JSON.stringify(given) === JSON.stringify(settings)) return;
    settings = given;
    dress();
  }

  function dress() {
    const { languages, theme, logo } = settings;
    root.dataset.theme = theme;
    home = [settings.language, kiosk.language].find((code) => languages.includes(code)) || languages[0];
    choice.replaceChildren(...languages.map((code) => languageButtons.get(code)));
    choice.hidden = languages.length < 2;
    root.style.setProperty("--languages", String(choice.hidden ? 0 : languages.length));
    for (const image of foot.querySelectorAll("img")) image.remove();
    if (logo) hang(logo);
    speak(home);
    if (ambience) ambience.look();
  }

  function hang(address) {
    const image = new Image();
    image.className = "kiosk-logo";
    image.alt = "";
    image.draggable = false;
    image.addEventListener("error", () => image.remove());
    image.src = address;
    foot.append(image);
  }

  function invite(code, inviting) {
    root.lang = code || language;
    say(document, root.lang);
    if (inviting && main.querySelector("[data-answer]")) main.querySelector("h1").textContent = kiosk.words[code]._invite;
    fitWords();
  }

  function shut(opens) {
    if (opens === null) return isShown("closed") && toQuestion();
    if (isShown("closed") && facts.time === opens) return undefined;
    facts.time = opens;
    return show("_closed", "closed");
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
    const stamp = otklik.clock.stamp();
    const flags = misuse.flags(value);
    const item = {
      id: otklik.uuid7(Date.parse(stamp.occurred_at)),
      point: kiosk.point,
      form_version: kiosk.form_version,
      ...stamp,
      language,
      answers: { [key]: value },
      ...(flags.length && { flags }),
    };
    tap = { item, index: 0, saved: Promise.resolve(), writing: 0 };
    if (ambience) ambience.wake();
    write(tap, () => outbox.keep(item));
    advance();
  }

  function write(to, work) {
    to.writing += 1;
    to.saved = to.saved.then(work);
    to.saved.then(() => (to.writing -= 1), () => {});
  }

  function revise(part) {
    const { item } = tap;
    Object.assign(item, part);
    write(tap, () => outbox.revise(item.id, part));
  }

  function answer(key, value) {
    notice.textContent = "";
    if (!tap) return begin(key, value);
    revise({ answers: { ...tap.item.answers, [key]: value }, language });
    return advance();
  }

  function markHeld() {
    if (tap) revise({ flags: [...(tap.item.flags || []), "held"] });
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

  // Idleness

  function rest() {
    clearTimeout(idleTimer);
    if (isShown("thanks")) idleTimer = setTimeout(toQuestion, THANKS);
    else if (begun()) {
      deadline = performance.now() + IDLE;
      idleTimer = setTimeout(warn, IDLE - WARN);
    }
  }

  // Counts the last seconds down in sight of whoever is still there. A device that slept over them leaves at once.
  function warn() {
    facts.seconds = Math.ceil((deadline - performance.now()) / SECOND);
    if (facts.seconds <= 0) return leave();
    if (!still && (tap || typed())) {
      still = screens.get("_still").cloneNode(true);
      still.querySelector("[data-for=typed]").hidden = !typed();
      still.querySelector("[data-for=tap]").hidden = !tap || typed();
      still.querySelector("button").addEventListener("click", stay);
      foot.prepend(still);
      const words = kiosk.words[language];
      said.textContent = `${words._still_here} ${words._starts_over.replace("{seconds}", facts.seconds)}`;
    }
    if (still) say(still);
    idleTimer = setTimeout(warn, SECOND);
    return undefined;
  }

  function stay() {
    if (!still) return;
    // Who has come here by the keyboard goes on from the question.
    if (still.contains(document.activeElement)) main.querySelector("h1").focus({ preventScroll: true });
    still.remove();
    still = null;
    said.textContent = "";
  }

  // What is in sight stays where it is until the touch is over: it may be meant for a button.
  function noteLife({ type }) {
    if (still) type === "pointerdown" || setTimeout(stay, AFTER_TOUCH);
    if (isShown("thanks")) return;
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

  // A soft click, where the chain wants one; without sound everything works as well.
  function sound() {
    const Audio = window.AudioContext || window.webkitAudioContext;
    if (!settings.sound || !Audio) return;
    audio = audio || new Audio();
    audio.resume().catch(() => {});
    const [tone, gain, now] = [audio.createOscillator(), audio.createGain(), audio.currentTime];
    tone.frequency.value = 660;
    gain.gain.setValueAtTime(0.08, now);
    gain.gain.exponentialRampToValueAtTime(0.001, now + 0.06);
    tone.connect(gain).connect(audio.destination);
    tone.start(now);
    tone.stop(now + 0.06);
  }

  // The second half of a double tap must not answer the screen that came after its first.
  const isSecondHalf = ({ detail }) => detail > 1 && (!isShown("question") || performance.now() - shownAt < DOUBLE_TAP);

  function onClick(event) {
    const button = event.target.closest("button");
    if (busy || isSecondHalf(event)) return;
    if (isShown("thanks")) return void toQuestion();
    if (!button) return;
    const { answer: smiley, choice: ready } = button.dataset;
    sound();
    if ("skip" in button.dataset) advance();
    else if (smiley !== undefined || ready !== undefined) read(asked(), smiley === undefined ? ready : smiley);
  }

  function onSubmit(event) {
    event.preventDefault();
    if (busy) return;
    const written = field().value.trim();
    if (written) read(asked(), written);
    else if (tap) advance();
  }

  function onLanguage(event) {
    const button = event.target.closest("[data-language]");
    if (!button) return;
    speak(button.dataset.language);
    rest();
  }

  function listen() {
    main.addEventListener("click", onClick);
    main.addEventListener("submit", onSubmit);
    choice.addEventListener("click", onLanguage);
    for (const type of ["pointerdown", "pointerup", "pointercancel", "keydown", "input"]) document.addEventListener(type, noteLife);
    window.addEventListener("pageshow", (event) => event.persisted && toQuestion());
    otklik.touch(main, misuse);
    if ("ResizeObserver" in window) new ResizeObserver(fitWords).observe(main);
  }

  function start() {
    gather();
    dress();
    listen();
    main.querySelector("h1").focus({ preventScroll: true });
    device.onSettings(obey);
    otklik.bookDoor({
      address: kiosk.book_at,
      free: () => !tap && !busy && !typed(),
      language: () => language,
      sayClosed: () => sayNotKept("_no_book"),
    });
    otklik.keeper({ kiosk, outbox, sender, device });
    ambience = otklik.attract({ settings: () => settings, free, invite, shut });
    otklik.watchForNews(kiosk.page, () => free() && ambience.quiet() >= HANDS_OFF);
    otklik.adoptOrphans(outbox).catch(() => {}).then(sender.start);
    // A store that does not open may hold something all the same.
    outbox.tell().catch(() => window.indexedDB || (root.dataset.queued = "0"));
    otklik.prepareForOffline(kiosk, outbox).then(() => (root.dataset.ready = "true"));
  }

  start();
})();
