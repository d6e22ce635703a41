"use strict";
// What the screen does while nobody touches it: it invites, dims at night and closes outside the store's hours. The
// first touch counts all the same, so nothing on it moves before that touch is over.
(() => {
  const otklik = (window.otklik = window.otklik || {});
  const LOOK_EVERY = 1_000;
  const TURN = 5_000;
  const AWAKE = 30_000;
  const AFTER_TOUCH = 150;
  // Where the picture stands, in pixels, so that nothing burns into the glass.
  const PLACES = [[0, 0], [3, 2], [-2, 3], [-3, -2], [2, -3]];
  const root = document.documentElement;
  const clocks = new Map();

  function clockIn(timeZone) {
    const format = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    try {
      return new Intl.DateTimeFormat("en-GB", { ...format, timeZone });
    } catch {
      return new Intl.DateTimeFormat("en-GB", format);
    }
  }

  // The time of the day in a store, as "08:05".
  function timeIn(zone) {
    if (!clocks.has(zone)) clocks.set(zone, clockIn(zone));
    return clocks.get(zone).format(new Date());
  }

  const within = ({ from, to }, time) => (from <= to ? from <= time && time < to : from <= time || time < to);

  // `free` says whether nothing is begun; `invite` gets a language and whether to invite in it instead of asking, or
  // null to go back; `shut` gets when the store opens again, or null.
  otklik.attract = ({ settings, free, invite, shut }) => {
    let touchedAt = performance.now();
    let down = false;
    let turns = 0; // how many were shown since the screen began to invite
    let turnedAt = 0;

    function rest(now) {
      if (turns && now - turnedAt < TURN) return;
      const { languages } = settings();
      const place = PLACES[Math.floor(turns / 2) % PLACES.length];
      document.body.style.transform = `translate(${place[0]}px, ${place[1]}px)`;
      root.dataset.attract = "";
      invite(languages[Math.floor(turns / 2) % languages.length], turns % 2 === 0);
      turns += 1;
      turnedAt = now;
    }

    function wake() {
      if (!turns) return;
      turns = 0;
      delete root.dataset.attract;
      document.body.style.transform = "";
      invite(null);
    }

    function look() {
      const now = performance.now();
      const quiet = now - touchedAt;
      if (down && quiet < AWAKE) return;
      const { attract_after: after, dim, hours, timezone } = settings();
      const idle = free();
      const closed = Boolean(hours) && !within(hours, timeIn(timezone));
      root.toggleAttribute("data-dim", idle && quiet >= AWAKE && Boolean(dim) && within(dim, timeIn(timezone)));
      if (idle && !closed && after && quiet >= after * 1000) rest(now);
      else wake();
      if (idle) shut(closed ? hours.from : null);
    }

    function touched(event) {
      touchedAt = performance.now();
      down = event.type === "pointerdown";
      delete root.dataset.dim;
      if (!down) setTimeout(look, AFTER_TOUCH);
    }

    for (const type of ["pointerdown", "pointerup", "pointercancel", "keydown", "input"]) {
      document.addEventListener(type, touched, true);
    }
    setInterval(look, LOOK_EVERY);
    look();
    return { wake, look, quiet: () => performance.now() - touchedAt };
  };
})();
