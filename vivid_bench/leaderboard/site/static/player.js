// All videos of a page at the same frame: one clock while playing, one target when paused.
"use strict";

(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const player = document.getElementById("player");
  const series = document.getElementById("series");
  const colours = 8;

  for (const label of series.querySelectorAll("label")) {
    const place = Number(label.querySelector("input").value);
    label.querySelector(".swatch line").classList.add(`line-${place % colours}`, `dash-${Math.floor(place / colours) % 4}`);
  }
  const announce = () => document.dispatchEvent(new CustomEvent("series-shown", { detail: shownSeries() }));
  const shownSeries = () => new Set([...series.querySelectorAll("input:checked")].map((box) => Number(box.value)));
  if (!player) {
    series.addEventListener("change", announce);
    return;
  }

  const control = (id) => document.getElementById(id);
  const last = data.frames - 1;
  const timeOf = (frame) => (frame + 0.5) / data.fps;
  const frameAt = (time) => Math.min(last, Math.max(0, Math.floor(time * data.fps + 0.01)));
  const outside = control("outside");

  let wanted = 0;
  let seeking = null;
  let playing = false;

  // ---- videos ----
  const figureOf = (video) => video.closest("figure");
  const active = () => [...player.querySelectorAll("video")].filter(
    (video) => !video.failed && (video === outside ? mode() === "source" : !figureOf(video).hidden),
  );
  const mode = () => control("mode").value;

  const load = (video) => {
    if (video.src) return;
    video.muted = true;
    video.ready = new Promise((resolve) => {
      video.addEventListener("loadeddata", resolve, { once: true });
      video.addEventListener("error", () => { fail(video); resolve(); }, { once: true });
    });
    video.src = video.dataset.src;
    watch(video);
  };

  const fail = (video) => {
    video.failed = true;
    const screen = video.closest(".screen");
    if (screen) screen.append(Object.assign(document.createElement("p"), { textContent: "This video could not be played." }));
  };

  // Each panel says which frame it really shows.
  const watch = (video) => {
    const figure = figureOf(video);
    if (!figure || !video.requestVideoFrameCallback) return;
    const tell = (_, shown) => {
      const frame = frameAt(shown.mediaTime);
      figure.dataset.frame = frame;
      figure.querySelector(".frame").textContent = frame;
      video.requestVideoFrameCallback(tell);
    };
    video.requestVideoFrameCallback(tell);
  };

  const seek = async (video, frame) => {
    load(video);
    await video.ready;
    if (video.failed || Math.abs(video.currentTime - timeOf(frame)) < 0.001) return;
    await new Promise((resolve) => {
      video.addEventListener("seeked", resolve, { once: true });
      video.currentTime = timeOf(frame);
    });
  };

  // On a busy machine a canvas may get the frame from before a seek until the page has been painted once more.
  const painted = async () => {
    for (let paints = 0; paints < 2; paints += 1) await new Promise((resolve) => { requestAnimationFrame(resolve); });
  };

  // Bring every video to the frame wanted last; frames asked for meanwhile are passed over.
  const show = (frame) => {
    wanted = Math.min(last, Math.max(0, frame));
    mark(wanted);
    seeking ??= (async () => {
      let shown;
      do {
        shown = wanted;
        await Promise.all(active().map((video) => seek(video, shown)));
        await painted();
      } while (shown !== wanted);
      drawDifferences();
      player.dataset.settled = shown;
    })().finally(() => { seeking = null; });
    return seeking;
  };

  const mark = (frame) => {
    delete player.dataset.settled;
    control("scrubber").value = frame;
    control("counter").textContent = `${frame} / ${last}`;
    document.dispatchEvent(new CustomEvent("frame-shown", { detail: frame }));
  };

  // ---- playing ----
  const setPlaying = (on) => {
    playing = on;
    control("play").setAttribute("aria-label", on ? "Pause" : "Play");
    player.classList.toggle("playing", on);
  };

  const play = async () => {
    setPlaying(true);
    await start(wanted === last ? 0 : wanted);
  };

  const start = async (frame) => {
    await show(frame);
    const videos = active();
    for (const video of videos) video.playbackRate = speed();
    await Promise.allSettled(videos.map((video) => playing && video.play()));
    requestAnimationFrame(tick);
  };

  const pause = async () => {
    setPlaying(false);
    const videos = active();
    for (const video of videos) video.pause();
    await show(videos.length ? frameAt(videos[0].currentTime) : wanted);
  };

  const speed = () => Number(control("speed").value);

  // The first video is the clock. The others run a little faster or slower until they agree with it; one that is more
  // than a frame off stops all of them, and they begin again together.
  const tick = () => {
    if (!playing) return;
    const [clock, ...others] = active();
    if (!clock) return void pause();
    if ([clock, ...others].some((video) => video.ended) || frameAt(clock.currentTime) === last) return void turn();
    const drifts = others.map((video) => (video.currentTime - clock.currentTime) * data.fps);
    if (drifts.some((drift) => Math.abs(drift) > 1)) {
      for (const video of active()) video.pause();
      return void start(frameAt(clock.currentTime));
    }
    others.forEach((video, i) => { video.playbackRate = speed() * (1 - Math.max(-0.15, Math.min(0.15, drifts[i] / 2))); });
    wanted = frameAt(clock.currentTime);
    mark(wanted);
    drawDifferences();
    requestAnimationFrame(tick);
  };

  const turn = async () => {
    for (const video of active()) video.pause();
    await show(last);
    if (!playing) return;
    if (!control("loop").checked) return setPlaying(false);
    await new Promise((resolve) => setTimeout(resolve, 1000 / data.fps / speed()));
    if (playing) await start(0);
  };

  // ---- differences: by the canvas's blend modes, for pixels of files on disk may be drawn but not read ----
  const drawDifferences = () => {
    const kind = mode();
    const base = kind === "edit" ? null : player.querySelectorAll(".given video")[kind === "reference" ? 2 : 0];
    for (const canvas of player.querySelectorAll("canvas")) {
      const video = canvas.previousElementSibling;
      canvas.hidden = !base;
      video.classList.toggle("under", Boolean(base));
      if (base && !figureOf(video).hidden && !video.failed) drawDifference(canvas, base, video, kind === "source" ? outside : null);
    }
  };

  const drawDifference = (canvas, base, video, weight) => {
    const { videoWidth: width, videoHeight: height } = video;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    const draw = (operation, picture) => {
      context.globalCompositeOperation = operation;
      context.drawImage(picture, 0, 0, width, height);
    };
    draw("copy", base);
    draw("difference", video);
    if (weight) draw("multiply", weight);
    for (let doubled = 0; doubled < Number(control("gain").value); doubled += 1) draw("lighter", canvas);
  };

  // ---- controls ----
  const step = (by) => {
    if (playing) pause().then(() => show(wanted + by));
    else show(wanted + by);
  };
  const toggle = () => (playing ? pause() : play());

  control("play").addEventListener("click", toggle);
  control("back").addEventListener("click", () => step(-1));
  control("forward").addEventListener("click", () => step(1));
  control("scrubber").addEventListener("input", (event) => {
    const frame = Number(event.target.value);
    if (playing) pause().then(() => show(frame));
    else show(frame);
  });
  document.addEventListener("frame-wanted", (event) => {
    if (playing) pause().then(() => show(event.detail));
    else show(event.detail);
  });
  control("mode").addEventListener("change", () => {
    control("gain-choice").hidden = mode() === "edit";
    if (playing) pause();
    else show(wanted);
  });
  control("gain").addEventListener("change", drawDifferences);
  series.addEventListener("change", () => {
    const shown = shownSeries();
    for (const figure of player.querySelectorAll("figure[data-series]")) figure.hidden = !shown.has(Number(figure.dataset.series));
    announce();
    if (playing) pause();
    else show(wanted);
  });

  const keys = { " ": toggle, ArrowLeft: () => step(-1), ArrowRight: () => step(1), Home: () => step(-data.frames), End: () => step(data.frames) };
  document.addEventListener("keydown", (event) => {
    const action = keys[event.key];
    const isTaken = event.target.closest(event.key === " " ? "input:not(#scrubber), select, button, summary, a" : "input, select, .scroll");
    if (!action || isTaken || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    action();
  });

  for (const video of player.querySelectorAll("video")) if (video === outside || !figureOf(video).hidden) load(video);
  show(0);
})();
