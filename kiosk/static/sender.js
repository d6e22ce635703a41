"use strict";
// Brings the outbox to the server: batches, one sender over all tabs, and patience. Only the server's word on an
// item moves it out of the outbox; every other answer (a captive portal's page, a proxy's error) means "later".
(() => {
  const otklik = (window.otklik = window.otklik || {});
  const BATCH = 100;
  const TIMEOUT = 8_000;
  const SAFETY_NET = 5_000;
  const REFUSED_WAIT = 60_000;
  const OTHER_TAB_WAIT = 5_000;
  const LONE_FAILURES = 3;
  const BAD_ITEM_WAIT = 600_000;
  const LONGEST_WAIT = 600_000;
  const KNOWN = ["stored", "duplicate", "rejected"];
  const LOCK = "otklik-kiosk-sender";

  // `why` is what staff read of it.
  class Later extends Error {
    constructor(why, wait = null) {
      super(why);
      this.wait = wait;
    }
  }
  // The server takes nothing from who asked: `unauthorized` or `pairing_required`.
  class Refused extends Error {}
  // A body the server could not take as a whole; `certain` where its own answer says that it never will.
  class Indigestible extends Error {
    constructor(certain) {
      super("server");
      this.certain = certain;
    }
  }

  function retryAfter(header) {
    const seconds = Number(header);
    const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
    return Math.min(LONGEST_WAIT, Math.max(500, wait || 1000)) * (1 + Math.random() / 4);
  }

  // Asks the server; resolves with {status, json, headers}, json null where the answer is none of ours.
  otklik.ask = async (address, token, body, timeout = TIMEOUT) => {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), timeout);
    const askedAt = Date.now();
    const { occurred_at: sent_at, ...clock } = otklik.clock.stamp();
    try {
      const response = await fetch(address, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) },
        body: JSON.stringify({ sent_at, ...clock, ...body }),
        credentials: "omit",
        cache: "no-store",
        redirect: "error",
        signal: abort.signal,
      });
      const ours = (response.headers.get("Content-Type") || "").includes("json");
      const json = ours ? await response.json() : null;
      if (json && json.server_time) otklik.clock.heard(json.server_time, askedAt);
      return { status: response.status, headers: response.headers, json };
    } catch {
      throw new Later("network");
    } finally {
      clearTimeout(timer);
    }
  };

  async function post(address, token, items) {
    const { status, headers, json } = await otklik.ask(address, token, { responses: items });
    if (headers.has("Retry-After")) throw new Later("busy", retryAfter(headers.get("Retry-After")));
    if (status === 429) throw new Later("busy", retryAfter(null));
    if (json && (status === 401 || status === 403)) throw new Refused(json.error || "unauthorized");
    if (status === 413 || (status === 400 && json)) throw new Indigestible(Boolean(json && json.error));
    if (status === 500) throw new Indigestible(false);
    if (!json || !Array.isArray(json.results)) throw new Later(status < 400 ? "portal" : "server");
    const asked = new Set(items.map((item) => item.id));
    const answered = json.results.filter((result) => result && asked.has(result.id) && KNOWN.includes(result.status));
    if (!answered.length) throw new Later("server");
    return answered;
  }

  // `device` is who speaks for all points of this kiosk, once it is paired; without one each point speaks for itself.
  otklik.sender = (address, outbox, device = { token: () => null, refused() {} }) => {
    const backoff = otklik.backoff();
    const doubtful = new Map(); // id: until when to leave alone what the server stumbled over or did not name
    const foreign = new Set(); // ids of points that the device never held: they go out by their point's own token
    let last = { at: null, outcome: null };
    let timer = 0;
    let running = false;
    let again = false;
    let notBefore = 0;

    const doubt = (id, wait) => doubtful.set(id, performance.now() + wait);
    const inDoubt = (id) => doubtful.has(id) && (doubtful.get(id) > performance.now() || !doubtful.delete(id));

    async function settle(items, answered, mixed) {
      const strange = mixed ? answered.filter(({ error }) => error === "unknown_point") : [];
      strange.forEach(({ id }) => foreign.add(id));
      const settled = answered.filter((result) => !strange.includes(result));
      const named = new Set(answered.map(({ id }) => id));
      items.forEach(({ id }) => named.has(id) || doubt(id, REFUSED_WAIT));
      if (await outbox.settle(settled)) return;
      for (const { id, status } of settled) if (status === "rejected") doubt(id, BAD_ITEM_WAIT);
    }

    // Sends until nothing is left for it; returns what became of it and the wait after which to try what it had to
    // leave. The one bad item of a body is found by halving, so that it holds up nothing else.
    async function pass() {
      const aside = new Set();
      const suspects = new Set();
      let outcome = "sent";
      let size = BATCH;
      const bearer = ({ id, point }) => {
        const token = (!foreign.has(id) && device.token()) || point;
        return aside.has(token) || suspects.has(id) || inDoubt(id) ? null : token;
      };
      const condemn = (wait) => {
        suspects.forEach((id) => doubt(id, wait));
        suspects.clear();
      };
      for (;;) {
        const { token, items } = await outbox.take(size, bearer);
        if (!items.length && suspects.size) throw new Later("server");
        if (!items.length) return { outcome, wait: aside.size || doubtful.size ? REFUSED_WAIT : 0 };
        const [first] = items;
        try {
          await settle(items, await post(address, token, items), token !== first.point);
          backoff.reset();
          condemn(BAD_ITEM_WAIT);
          size = Math.min(BATCH, size * 2);
        } catch (problem) {
          if (problem instanceof Refused) {
            outcome = problem.message;
            // The chain closed its unpaired kiosks: the page comes back as one that asks to be paired.
            if (outcome === "pairing_required" && otklik.lookForNews) otklik.lookForNews();
            if (token === first.point) aside.add(token);
            else device.refused();
          } else if (!(problem instanceof Indigestible)) throw problem;
          else if (items.length > 1) size = Math.ceil(items.length / 2);
          else if (problem.certain) await settle(items, [{ id: first.id, status: "rejected", error: "body" }]);
          else suspects.add(first.id);
          // The server stumbles over everything, or over those in front: next time those behind them come first.
          if (suspects.size > LONE_FAILURES) {
            condemn(REFUSED_WAIT);
            throw new Later("server");
          }
        }
      }
    }

    function alone(work) {
      if (!navigator.locks) return work();
      const elsewhere = { outcome: "elsewhere", wait: OTHER_TAB_WAIT };
      return navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => (lock ? work() : elsewhere));
    }

    async function attempt() {
      try {
        return await alone(pass);
      } catch (problem) {
        if (!(problem instanceof Later)) return { outcome: "device", wait: backoff.next() };
        if (problem.wait === null) return { outcome: problem.message, wait: backoff.next() };
        notBefore = performance.now() + problem.wait;
        return { outcome: problem.message, wait: problem.wait };
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
      const { outcome, wait } = await attempt();
      last = { at: new Date().toISOString(), outcome };
      running = false;
      if (wait) plan(wait);
      else if (again) plan(0);
      return undefined;
    }

    // For a regular look: leaves alone what is planned already.
    const nudge = () => timer || running || send();

    // For staff who do not want to wait: what stood aside is tried too.
    function now() {
      doubtful.clear();
      notBefore = 0;
      return send();
    }

    // Sends now, and from now on whenever there is reason to hope.
    function start() {
      window.addEventListener("online", send);
      document.addEventListener("visibilitychange", () => document.hidden || send());
      setInterval(async () => (await outbox.tell().catch(() => 0)) && nudge(), SAFETY_NET);
      return send();
    }

    // For a device that cannot keep anything: true only when the server has the item.
    const direct = async (item) => {
      const token = device.token();
      const results = await post(address, token || item.point, [item]).catch((problem) => {
        if (!token || !(problem instanceof Refused)) throw problem;
        return post(address, item.point, [item]);
      });
      return results.some(({ status }) => status !== "rejected");
    };

    return { send, nudge, now, start, direct, last: () => last };
  };
})();
