"use strict";
// Entries of the feedback book that wait on this device for a network, each whole, with its photos. One leaves when the
// server has given it a number, or when its writer takes it back. Sent again under the same id it is the same entry.
(() => {
  const otklik = (window.otklik = window.otklik || {});
  const NAME = "otklik-book";
  const STORE = "letters";
  const LOCK = "otklik-book-sender";
  const TIMEOUT = 60_000;
  const PAGE_TIMEOUT = 10_000;
  const OTHER_TAB_WAIT = 5_000;

  const request = (work) => new Promise((resolve, reject) => {
    work.onsuccess = () => resolve(work.result);
    work.onerror = () => reject(work.error);
  });

  function open() {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "id" });
    return request(opening);
  }

  // Resolves once the transaction is on disk, with what `work` asked for.
  async function transact(mode, work) {
    const database = await open();
    try {
      const transaction = database.transaction([STORE], mode, { durability: "strict" });
      const asked = work(transaction.objectStore(STORE));
      await new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onabort = () => reject(transaction.error);
      });
      return asked.result;
    } finally {
      database.close();
    }
  }

  async function ask(address, options, timeout) {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), timeout);
    try {
      const answer = await fetch(address, { cache: "no-store", signal: abort.signal, ...options });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      return { answer, page };
    } finally {
      clearTimeout(timer);
    }
  }

  function bodyOf(letter, token) {
    const body = new FormData();
    for (const [name, value] of letter.fields) body.append(name, value);
    for (const photo of letter.photos) body.append("photos", photo.content, photo.name);
    body.append("csrf_token", token);
    return body;
  }

  // On a kiosk nobody comes back to what was written there.
  const ofKiosk = (letter) => new URL(letter.address).searchParams.has("kiosk");

  // A kiosk's point may have been closed since; its store's book is open all the same.
  async function pageOf(letter) {
    const bare = letter.address.split("?")[0];
    const shown = await ask(letter.address, {}, PAGE_TIMEOUT);
    if (shown.answer.status !== 404 || bare === letter.address) return { address: letter.address, ...shown };
    return { address: bare, ...(await ask(bare, {}, PAGE_TIMEOUT)) };
  }

  // The token is fetched anew: that of a page that was kept for days is none any more.
  async function post(letter) {
    const shown = await pageOf(letter);
    const token = shown.page.querySelector("form[data-form^='book:'] [name=csrf_token]");
    if (!shown.answer.ok || !token) return { status: "later" };
    const headers = { "Otklik-Keeps-Photos": "yes" };
    const { answer, page } = await ask(shown.address, { method: "POST", body: bodyOf(letter, token.value), headers }, TIMEOUT);
    const receipt = page.querySelector("[data-number]");
    if (answer.redirected && answer.ok && receipt) {
      const { number, year } = receipt.dataset;
      return { status: "written", number, year, address: answer.url };
    }
    if (answer.status === 422 || answer.status === 413) return { status: "refused", page };
    return { status: answer.status === 429 ? "busy" : "later", page };
  }

  // Resolves with what became of an entry: {status}: written, refused, busy or later.
  const deliver = (letter) => post(letter).catch(() => ({ status: "later" }));

  otklik.bookQueue = () => {
    const backoff = otklik.backoff();
    const listeners = [];
    let timer = 0;
    let running = null;

    const keep = (letter) => transact("readwrite", (store) => store.put(letter));
    const discard = (id) => transact("readwrite", (store) => store.delete(id));
    const all = () => transact("readonly", (store) => store.getAll());
    const tell = (letter, outcome) => listeners.forEach((listener) => listener(letter, outcome));

    // What a kiosk wrote is sent once more without its photos, which are its likeliest fault.
    async function sendOne(letter) {
      const outcome = await deliver(letter);
      return outcome.status === "refused" && ofKiosk(letter) ? deliver({ ...letter, photos: [] }) : outcome;
    }

    // What the server refuses waits for its writer, who sees it again on this device; on a kiosk nobody does.
    async function settle(letter, outcome) {
      if (outcome.status === "written") await discard(letter.id);
      else if (outcome.status === "refused") await keep({ ...letter, refused: true });
      else return false;
      if (outcome.status === "refused" && ofKiosk(letter)) console.warn("otklik: a refused entry of the book stays on this kiosk");
      tell(letter, outcome);
      return true;
    }

    // One that cannot be delivered holds no other up.
    async function sendAll() {
      let done = true;
      for (const letter of (await all()).filter(({ refused }) => !refused)) {
        if (!(await settle(letter, await sendOne(letter)))) done = false;
      }
      return done;
    }

    async function attempt() {
      clearTimeout(timer);
      const locks = navigator.locks;
      const work = (lock) => (lock === null ? null : sendAll());
      const done = await (locks ? locks.request(LOCK, { ifAvailable: true }, work) : work()).catch(() => false);
      if (done) backoff.reset();
      else timer = setTimeout(send, done === null ? OTHER_TAB_WAIT : backoff.next());
    }

    function send() {
      running = running || attempt().finally(() => (running = null));
      return running;
    }

    function start() {
      window.addEventListener("online", () => {
        backoff.reset();
        send();
      });
      return send();
    }

    return { keep, discard, all, deliver, send, start, ofKiosk, onSettled: (listener) => void listeners.push(listener) };
  };
})();
