// The screens of a study, one after another: instructions and consent, practice, items, the end.
"use strict";

(() => {
  const { packet, words } = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const screens = ["welcome", "item", "end", "stopped"];
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)");

  const answers = createAnswers(packet, () => refresh());
  let shown = null; // The item on the screen: its player, questions and clock.
  const clips = createClips(at("stage"), packet);

  // ---- screens ----
  const open = (name) => {
    if (!at(name).hidden) return;
    for (const screen of screens) at(screen).hidden = screen !== name;
    at(name).querySelector("h1")?.focus({ preventScroll: true });
    scrollTo(0, 0);
  };

  // Show the screen that what is known asks for.
  const refresh = () => {
    status();
    const place = answers.next();
    if (answers.now.stopped) {
      leave();
      open("stopped");
    } else if (answers.now.closed || place === -1) {
      leave();
      end();
    } else if (!answers.state.consented) {
      open("welcome");
    } else if (shown?.place !== place && !shown?.practised) {
      show(place);
    }
  };

  const status = () => {
    const { state, now } = answers;
    at("unsent").textContent = state.served && state.unsent.length ? `Not sent yet: ${state.unsent.length}` : "";
    at("forgetful").hidden = !now.forgetful;
    for (const button of document.querySelectorAll(".onward .save")) button.hidden = state.served;
    at("bar").style.width = `${(100 * answers.count()) / packet.items.length}%`;
  };

  const end = () => {
    const { state, now } = answers;
    const left = state.unsent.length;
    const isWaiting = state.served && !state.finished && !now.closed;
    const byFile = !state.served || left > 0;
    at("progress").textContent = "";
    if (now.closed) {
      at("end-title").textContent = "This study is closed";
      at("end-words").textContent = left
        ? `Answers are no longer taken. Those that you gave before have arrived; the last ${left} came too late.`
        : "Answers are no longer taken. All that you gave have arrived. Thank you.";
    } else if (isWaiting) {
      at("end-title").textContent = "Almost done";
      at("end-words").textContent = left
        ? "Some answers have not been sent yet. Keep this page open: it tries again by itself. If it does not succeed, save your answers as a file."
        : "Your answers have arrived. The page is telling the server that you are done.";
    } else {
      at("end-title").textContent = state.served ? "Thank you" : "Almost done";
      at("end-words").textContent = state.served
        ? "You have answered everything, and all answers have arrived. You can close this page."
        : "You have answered everything, thank you. One last step: save your answers and send the file back.";
    }
    at("end-save").hidden = !byFile;
    at("end-file").hidden = !byFile;
    open("end");
  };

  // ---- items ----
  const show = async (place) => {
    leave();
    const item = packet.items[place];
    const own = { place, item, player: null, questions: null, since: null, spent: answers.spentOn(item.id), practised: false };
    shown = own;
    const videos = clips.show(item);
    at("progress").textContent = place === 0 ? "Practice" : `Item ${place} of ${packet.items.length - 1}`;
    at("task").textContent = words.tasks[item.task];
    at("prompt").textContent = item.prompt;
    at("next").textContent = place === 0 ? "Check" : "Next";
    say("");
    open("item");
    own.questions = createQuestions(packet, words, item.clips.length, at("questions"), () => at("next").focus());
    own.questions.focus();
    scrollTo(0, 0);

    const loaded = await Promise.all(videos.map((video) => video.ready));
    if (shown !== own) return;
    if (loaded.includes(false)) return complain();
    clips.fit(videos[0]);
    const player = createPlayer(videos, item.fps, drawPlayer);
    own.player = player;
    player.setRate(1);
    await player.show(0);
    if (shown !== own) return;
    if (!document.hidden) own.since = performance.now();
    clips.hold(item, packet.items[place + 1]);
    if (!isCalm.matches) player.play();
  };

  const leave = () => {
    shown?.player?.close();
    shown = null;
    delete at("stage").dataset.settled;
  };

  const complain = () => {
    const again = element("button", { type: "button", textContent: "Try again" });
    again.addEventListener("click", () => show(shown.place));
    at("message").replaceChildren("A video could not be loaded, so this screen cannot be answered yet. ", again);
  };

  const say = (text, kind = "") => {
    at("message").textContent = text;
    at("message").className = `message ${kind}`;
  };

  // Time counts while the item is on the screen and the page can be seen.
  const secondsOn = (own) => own.spent + (own.since === null ? 0 : (performance.now() - own.since) / 1000);
  const stopClock = () => {
    if (!shown || shown.since === null) return;
    shown.spent = secondsOn(shown);
    shown.since = null;
  };
  // Kept every second, not when the page closes: that would be written after the page opened again has read it.
  setInterval(() => {
    if (shown && shown.since !== null) answers.spend(shown.item.id, secondsOn(shown));
  }, 1000);

  const goOn = () => {
    if (!shown?.player || shown.since === null) return;
    if (shown.practised) return finishItem();
    const missing = shown.questions.firstOpen();
    if (missing) {
      shown.questions.focus();
      return say(`Please answer “${words.titles[missing]}” first.`);
    }
    if (shown.item.correct === null) return finishItem();
    const { correct } = shown.item;
    const values = shown.questions.values();
    const wrong = packet.questions.filter((question) => !isRight(values[question], correct));
    if (wrong.length) {
      shown.questions.ask(wrong);
      return say(words.wrong.replace("{answer}", packet.design === "ranking" ? correct.at(-1) : correct), "wrong");
    }
    shown.practised = true;
    say(words.right, "right");
    at("next").textContent = "Start";
    at("next").focus();
  };

  // Ratings differ between people by one, and only the broken clip has a known place in an order: the last.
  const isRight = (value, correct) => {
    if (packet.design === "ranking") return value.at(-1) === correct.at(-1);
    return packet.design === "rating" ? Math.abs(value - correct) <= 1 : value === correct;
  };

  const finishItem = () => {
    const { item, questions } = shown;
    const seconds = secondsOn(shown);
    shown.practised = false;
    answers.record(item.id, questions.values(), seconds);
    refresh();
  };

  // ---- controls ----
  const drawPlayer = ({ playing, frame, last, rate, settled }) => {
    at("play").classList.toggle("playing", playing);
    at("play-word").textContent = playing ? "Pause" : "Play";
    at("frame").textContent = `${frame + 1} / ${last + 1}`;
    for (const button of document.querySelectorAll("[data-rate]")) button.setAttribute("aria-pressed", Number(button.dataset.rate) === rate);
    if (settled) at("stage").dataset.settled = frame;
    else delete at("stage").dataset.settled;
  };

  const rates = [...document.querySelectorAll("[data-rate]")];
  const control = {
    toggle: () => (shown.player.playing ? shown.player.pause() : shown.player.play()),
    replay: () => shown.player.replay(),
    back: () => shown.player.step(-1),
    forward: () => shown.player.step(1),
    slower: () => {
      const place = rates.findIndex((button) => button.getAttribute("aria-pressed") === "true");
      shown.player.setRate(Number(rates[(place + 1) % rates.length].dataset.rate));
    },
  };
  const onPlayer = (action) => () => { if (shown?.player) action(); };
  for (const [id, action] of [["play", control.toggle], ["replay", control.replay], ["back", control.back], ["forward", control.forward]]) {
    at(id).addEventListener("click", onPlayer(action));
  }
  for (const button of rates) button.addEventListener("click", onPlayer(() => shown.player.setRate(Number(button.dataset.rate))));
  // A mouse on these leaves the keys with the question under way.
  document.querySelector(".transport").addEventListener("mousedown", (event) => event.preventDefault());

  const keys = {
    " ": onPlayer(control.toggle),
    r: onPlayer(control.replay),
    s: onPlayer(control.slower),
    arrowleft: onPlayer(control.back),
    arrowright: onPlayer(control.forward),
    backspace: () => shown.questions.clear(),
    enter: goOn,
  };
  const repeatable = ["arrowleft", "arrowright"];
  document.addEventListener("keydown", (event) => {
    // Digits by where they are: on a French keyboard they need Shift.
    const key = event.code.match(/^Digit([1-9])$/)?.[1] ?? event.key.toLowerCase();
    if (at("item").hidden || !shown?.questions || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.repeat && !repeatable.includes(key)) return void (key === "enter" && event.preventDefault());
    if ((key === " " || key === "enter") && event.target.closest("button")) return;
    if (!keys[key] && !shown.questions.key(key)) return;
    event.preventDefault();
    keys[key]?.();
  });

  at("next").addEventListener("click", goOn);
  at("reload").addEventListener("click", () => location.reload());
  at("agree").addEventListener("change", () => { at("consent-message").textContent = ""; });
  at("consent").addEventListener("submit", (event) => {
    event.preventDefault();
    if (!at("agree").checked) {
      at("consent-message").textContent = "Tick the box to take part. If you do not agree, simply close this page.";
      return at("agree").focus();
    }
    answers.consent();
    refresh();
  });

  for (const button of document.querySelectorAll(".save")) {
    button.addEventListener("click", () => {
      const { name, text } = answers.file();
      const link = element("a", { download: name, href: URL.createObjectURL(new Blob([text], { type: "application/json" })) });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
      const saved = `Saved ${answers.count()} of ${packet.items.length} answers as ${name}.`;
      if (shown) say(saved);
      else at("saved").textContent = saved;
    });
  }

  document.addEventListener("visibilitychange", () => {
    if (!shown) return;
    if (document.hidden) {
      shown.resume = shown.player?.playing;
      stopClock();
      shown.player?.pause();
    } else if (shown.player) {
      shown.since = performance.now();
      if (shown.resume) shown.player.play();
    }
  });

  // ---- begin ----
  const late = at("late");
  if (late) late.hidden = new Date().toISOString().slice(0, 10) <= packet.deadline;
  answers.connect().then(() => {
    const isBack = answers.state.consented && answers.count() > 0 && answers.next() !== -1;
    refresh();
    if (isBack) say("Welcome back. You continue where you stopped.");
  });
})();
