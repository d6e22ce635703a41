"use strict";
// What the device's clocks show: the clock of the day, which may be wrong and jump, and beside it one that only counts
// from the opening of this page, whose name is the boot id. From both the server tells when something happened.
(() => {
  const otklik = (window.otklik = window.otklik || {});
  const boot = otklik.uuid7();
  let ahead = null;

  otklik.clock = {
    // By how many milliseconds the server's clock is ahead of ours; null where it has not told its time yet.
    ahead: () => ahead,
    heard(serverTime, askedAt) {
      ahead = Math.round(Date.parse(serverTime) - (askedAt + Date.now()) / 2);
    },
    stamp: () => ({ occurred_at: new Date().toISOString(), boot_id: boot, monotonic_ms: Math.round(performance.now()) }),
  };
})();
