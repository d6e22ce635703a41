"use strict";
// Brings the outbox to the server: batches, one sender over all tabs, and patience. Only the server's word on an
// item moves it out of the outbox; every other answer (a captive portal's page, a proxy's error) means "later".
(() => {
  const otklik = (window.otklik = window.otklik || {});
  const BATCH = 100;
  const TIMEOUT = 8_000;
  const REFUSED_WAIT = 60_000;
  const OTHER_TAB_WAIT = 5_000;
  const LONE_FAILURES = 3;
  const LONGEST_WAIT = 600_000;
  const KNOWN = ["stored", "duplicate", "rejected"];
  const LOCK = "otklik-kiosk-sender";

  class Later extends Error {
    constructor(wait = null) {
      super("later");
      this.wait = wait;
    }
  }
  class Refused extends Error {}
  // A body the server could not take as a whole; `certain` where its own answer says that it never will.
  class Indigestible extends Error {
    constructor(certain) {
      super("indigestible");
      this.certain = certain;
    }
  }

  function retryAfter(header) {
    const seconds = Number(header);
    const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
    return Math.min(LONGEST_WAIT, Math.max(500, wait || 1000)) * (1 + Math.random() / 4);
  }

  async function post(address, items) {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), TIMEOUT);
    try {
      const response = await fetch(address, {
        method: "POST",
        headers: { "Content-Type": "application/json", Authorization: `Bearer ${items[0].point}` },
        body: JSON.stringify({ sent_at: new Date().toISOString(), responses: items }),
        credentials: "omit",
        cache: "no-store",
        redirect: "error",
        signal: abort.signal,
      });
      if (response.status === 429) throw new Later(retryAfter(response.headers.get("Retry-After")));
      if (response.status === 401 || response.status === 403) throw new Refused();
      const json = (response.headers.get("Content-Type") || "").includes("json");
      if (response.status === 413 || (response.status === 400 && json)) throw new Indigestible(json);
      if (response.status === 500) throw new Indigestible(false);
      if (!response.ok) throw new Later();
      const { results } = await response.json();
      const asked = new Set(items.map((item) => item.id));
      const answered = results.filter(({ id, status }) => asked.has(id) && KNOWN.includes(status));
      if (!answered.length) throw new Later();
      return answered;
    } finally {
      clearTimeout(timer);
    }
  }

  otklik.sender = (address, outbox) => {
    const backoff = otklik.backoff();
    let timer = 0;
    let running = false;
    let again = false;
    let notBefore = 0;

    // Sends until nothing is left for it; returns the wait after which to try what it had to leave. The one bad item
    // of a body is found by halving, so that it holds up nothing else.
    async function pass() {
      const aside = new Set();
      let size = BATCH;
      let lone = 0;
      for (;;) {
        const items = await outbox.take(size, aside);
        if (!items.length) return aside.size ? REFUSED_WAIT : 0;
        try {
          await outbox.settle(await post(address, items));
          backoff.reset();
        } catch (problem) {
          const [first] = items;
          if (problem instanceof Refused) aside.add(first.point);
          else if (!(problem instanceof Indigestible)) throw problem;
          else if (items.length > 1) size = Math.ceil(items.length / 2);
          else if (problem.certain) await outbox.settle([{ id: first.id, status: "rejected", error: "body" }]);
          else if ((lone += 1) > LONE_FAILURES) throw new Later();
          else aside.add(first.id);
        }
      }
    }

    function alone(work) {
      if (!navigator.locks) return work();
      return navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => (lock ? work() : OTHER_TAB_WAIT));
    }

    async function attempt() {
      try {
        return await alone(pass);
      } catch (problem) {
        if (!(problem instanceof Later) || problem.wait === null) return backoff.next();
        notBefore = performance.now() + problem.wait;
        return problem.wait;
      }
    }

    function plan(wait) {
      clearTimeout(timer);
      timer = setTimeout(() => {
        timer = 0;
        send();
      }, wait);
    }

    async function send() {
      const early = notBefore - performance.now();
      if (early > 0) return plan(early);
      if (running) return void (again = true);
      running = true;
      again = false;
      clearTimeout(timer);
      timer = 0;
      const wait = await attempt();
      running = false;
      if (wait) plan(wait);
      else if (again) plan(0);
      return undefined;
    }

    // For a regular look: leaves alone what is planned already.
    const nudge = () => timer || running || send();

    // For a device that cannot keep anything: true only when the server has the item.
    const direct = async (item) => (await post(address, [item])).some(({ status }) => status !== "rejected");

    return { send, nudge, direct };
  };
})();
