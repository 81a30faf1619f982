// A rater's answers: kept in this browser, sent where the page is served, and saved as a file.
"use strict";

const RETRY_FIRST = 1000;
const RETRY_LAST = 30000;
const REPLY_WITHIN = 15000;

// changed: called whenever what is kept, sent or allowed has changed.
const createAnswers = (packet, changed) => {
  const name = `vivid-bench-study ${packet.study} ${packet.rater} ${packet.packet}`;
  // spent: seconds on the item under way, before the page was last closed.
  const state = { consented: false, finished: false, served: false, answers: {}, unsent: [], spent: { item: null, seconds: 0 } };
  const now = { closed: false, stopped: false, forgetful: false };
  let sending = false;
  let delay = RETRY_FIRST;
  let retry;

  // ---- kept in this browser ----
  const save = () => {
    if (now.stopped) return;
    try {
      localStorage.setItem(name, JSON.stringify(state));
    } catch {
      now.forgetful = true;
    }
  };
  try {
    Object.assign(state, JSON.parse(localStorage.getItem(name) ?? "{}"));
  } catch {
    now.forgetful = true;
  }
  // Two tabs would overwrite each other's answers: the one opened last goes on. What is stored now counts, not what the
  // event tells, for it may tell of what this page wrote before it was reloaded.
  const owner = `${Date.now()} ${Math.random()}`;
  state.owner = owner;
  save();
  addEventListener("storage", (event) => {
    if (event.key !== name || JSON.parse(localStorage.getItem(name) ?? "{}").owner === owner) return;
    now.stopped = true;
    clearTimeout(retry);
    changed();
  });

  const complete = () => packet.items.every((item) => state.answers[item.id]);
  const keep = (answer) => {
    state.answers[answer.item] = answer;
    state.unsent = state.unsent.filter((item) => item !== answer.item);
  };

  // ---- sent ----
  const request = (address, body) => fetch(address, {
    method: body === undefined ? "GET" : "POST",
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store",
    signal: AbortSignal.timeout(REPLY_WITHIN),
  });

  const adopt = (known) => {
    known.answers.forEach(keep);
    const there = new Set(known.answers.map((answer) => answer.item));
    state.unsent = Object.keys(state.answers).filter((item) => !there.has(item));
    state.finished = known.finished;
  };

  // True or false: whether a server takes the answers. Throws where nobody can tell now.
  const ask = async () => {
    const response = await request("state");
    if (response.status >= 500) throw new Error(`state: ${response.status}`);
    const known = response.ok ? await response.json().catch(() => null) : null;
    if (known?.study !== packet.study || known.rater !== packet.rater || known.packet !== packet.packet) return false;
    adopt(known);
    return true;
  };

  const sendAnswer = async (answer) => {
    const response = await request("answers", answer);
    if (response.status === 410) return void (now.closed = true);
    // 409: another answer to this item came first, from another browser perhaps. It stands.
    if (response.status !== 200 && response.status !== 409) throw new Error(`answers: ${response.status}`);
    const { answer: stored } = await response.json();
    if (stored?.item !== answer.item) throw new Error("answers: no answer in the reply");
    keep(stored);
  };

  const sendFinish = async () => {
    const response = await request("finish", {});
    if (response.status === 410) return void (now.closed = true);
    if (response.ok) return void (state.finished = true);
    await ask(); // It may miss answers that were thought to be there.
    throw new Error(`finish: ${response.status}`);
  };

  const send = async () => {
    if (sending || !state.served || now.stopped) return;
    sending = true;
    clearTimeout(retry);
    try {
      while (state.unsent.length && !now.closed) {
        await sendAnswer(state.answers[state.unsent[0]]);
        save();
        changed();
      }
      if (complete() && !state.finished && !now.closed) await sendFinish();
      delay = RETRY_FIRST;
    } catch {
      retry = setTimeout(send, delay);
      delay = Math.min(RETRY_LAST, 2 * delay);
    }
    sending = false;
    save();
    changed();
  };
  addEventListener("online", send);

  // Learn whether the page is served. A page that was once keeps to it when the network is lost.
  const connect = async () => {
    if (!location.protocol.startsWith("http")) return;
    for (const pause of [500, 1000, 0]) {
      try {
        state.served = await ask();
        break;
      } catch {
        if (state.served) break;
        await new Promise((resolve) => { setTimeout(resolve, pause); });
      }
    }
    save();
    send();
  };

  // ---- saved as a file ----
  const crc32 = (text) => {
    let crc = 0xffffffff;
    for (const byte of new TextEncoder().encode(text)) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ((crc ^ 0xffffffff) >>> 0).toString(16).padStart(8, "0");
  };

  const file = () => {
    const answers = packet.items.map((item) => state.answers[item.id]).filter(Boolean);
    const rater = { rater: packet.rater, packet: packet.packet, finished: complete(), simulated: false, answers };
    const payload = JSON.stringify({ study: packet.study, raters: [rater] });
    const content = { format: "vivid-bench-answers", version: 1, checksum: `crc32:${crc32(payload)}`, payload };
    return { name: `answers-${packet.study}-${packet.rater}.json`, text: `${JSON.stringify(content)}\n` };
  };

  return {
    state,
    now,
    complete,
    connect,
    file,
    next: () => packet.items.findIndex((item) => !state.answers[item.id]),
    count: () => Object.keys(state.answers).length,
    consent: () => { state.consented = true; save(); },
    spentOn: (item) => (state.spent.item === item ? state.spent.seconds : 0),
    spend: (item, seconds) => { state.spent = { item, seconds }; save(); },
    record: (item, values, seconds) => {
      keep({ item, values, seconds: Math.round(seconds * 1000) / 1000, at: new Date().toISOString() });
      if (state.served) state.unsent.push(item);
      else state.finished = complete();
      save();
      send();
    },
  };
};
