"use strict";
// This device as one of the fleet: paired by a short code, then it speaks for all its points with a token of its own,
// tells every five minutes how it is, and takes its settings and its place from the answer.
(() => {
  const otklik = (window.otklik = window.otklik || {});
  const BEAT_EVERY = 5 * 60_000;

  function secret() {
    const bytes = crypto.getRandomValues(new Uint8Array(32));
    return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
  }

  async function storage() {
    if (!navigator.storage || !navigator.storage.estimate) return {};
    const [persisted, { usage, quota }] = await Promise.all([navigator.storage.persisted(), navigator.storage.estimate()]);
    return { storage_persisted: persisted, storage_used: usage, storage_quota: quota };
  }

  otklik.device = (kiosk, outbox) => {
    const listeners = [];
    let pairing = null; // {id, name, token, point, settings, refused}: refused where the server no longer knows it
    let beatAt = null;

    const token = () => (pairing && !pairing.refused ? pairing.token : null);
    const settings = () => (token() && pairing.settings) || kiosk.settings;

    function take(next) {
      const before = JSON.stringify([settings(), token()]);
      pairing = next;
      if (JSON.stringify([settings(), token()]) !== before) listeners.forEach((listener) => listener(settings()));
    }

    // Taken up at once, also where this device cannot keep it.
    function become(next) {
      take(next);
      return outbox.remember("pairing", next).catch(() => {});
    }

    const refused = () => pairing && !pairing.refused && become({ ...pairing, refused: true });

    // A moved kiosk opens its new page; what it collected is delivered from there.
    function follow() {
      if (token() && pairing.point && pairing.point !== kiosk.point) otklik.moveTo(kiosk.scope + pairing.point);
    }

    const learn = ({ device: { id, name }, point, settings: given }, own) =>
      become({ id, name, token: own, point, settings: given, refused: false });

    async function state() {
      const [queue_length, quarantined, oldest_queued_at, sequence] = await Promise.all([
        outbox.count(), outbox.count("quarantine"), outbox.oldest(), outbox.recall("sequence"),
      ]);
      return {
        queue_length, quarantined, oldest_queued_at, sequence: sequence || 0, app_version: kiosk.shell, ...(await storage()),
      };
    }

    async function beat() {
      // Another tab may have paired this device, or ended it.
      take((await outbox.recall("pairing")) || null);
      follow();
      if (!pairing) return;
      const own = pairing.token;
      const { status, json } = await otklik.ask(`${kiosk.device_at}/heartbeat`, own, await state());
      if (status === 401 && json) await refused();
      if (status !== 200 || !json || !json.device || !pairing || pairing.token !== own) return;
      beatAt = new Date().toISOString();
      await learn(json, own);
      if (json.app_version && json.app_version !== kiosk.shell) otklik.lookForNews();
      follow();
    }

    const pulse = () => beat().catch(() => {});

    // A token waits on the device before it is offered: where the answer is lost, the same code and token are asked again.
    async function offered(code) {
      const before = await outbox.recall("offer");
      if (before && before.code === code) return before.token;
      const offer = { code, token: secret() };
      await outbox.remember("offer", offer);
      return offer.token;
    }

    async function points() {
      const records = [...(await outbox.all("items")), ...(await outbox.all("quarantine"))];
      return Array.from(new Set([kiosk.point, ...records.map(({ item }) => item.point)]));
    }

    // Resolves with null once paired, or with why not: `unknown_code`, `busy`, `network`, `device`.
    async function pair(code) {
      try {
        // A device that is one already keeps its token and is moved; whether it still is one, the server says first.
        await pulse();
        const own = token();
        const offer = await offered(code);
        const { status, json } = await otklik.ask(`${kiosk.device_at}/pair`, own, { code, token: offer, points: await points() });
        if (status === 429) return "busy";
        if (status === 404 && json) return "unknown_code";
        if (status !== 200 || !json || !json.device) return "network";
        await learn(json, own || offer);
        pulse();
        return null;
      } catch (problem) {
        return problem.message === "network" ? "network" : "device";
      }
    }

    window.addEventListener("online", pulse);
    setInterval(pulse, BEAT_EVERY);
    return {
      // Resolves once it knows whether it is paired.
      ready: outbox.recall("pairing").then((kept) => take(kept || null), () => {}).then(() => void pulse()),
      token,
      settings,
      refused,
      pair,
      part: () => become(null),
      state,
      onSettings: (listener) => void listeners.push(listener),
      pairing: () => pairing,
      beatAt: () => beatAt,
    };
  };
})();
