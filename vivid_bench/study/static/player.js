// Several videos as one: one clock while they play, all at the same frame when they stand.
"use strict";

const END_PAUSE = 350; // Milliseconds on the last frame before the loop begins again.
const RESYNC_PAUSE = 1000; // A slow computer is not made slower by starting again and again.

// videos: their metadata loaded; the first is the clock. changed: called with what to show of the player.
const createPlayer = (videos, fps, changed) => {
  const [clock, ...others] = videos;
  const last = Math.max(0, Math.round(Math.min(...videos.map((video) => video.duration)) * fps) - 1);
  const timeOf = (frame) => (frame + 0.5) / fps;
  const frameNow = () => Math.min(last, Math.max(0, Math.floor(clock.currentTime * fps + 0.01)));

  let order = 0; // Each order given raises it; what an older one had still to do is dropped.
  let playing = false;
  let wanted = 0;
  let rate = 1;
  let resynced = 0;

  const tell = (settled = false) => changed({ playing, frame: wanted, last, rate, settled });
  const hold = () => videos.forEach((video) => video.pause());
  const sleep = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

  const seek = (video, frame) => new Promise((resolve) => {
    if (!video.seeking && Math.abs(video.currentTime - timeOf(frame)) < 0.001) return void resolve();
    video.addEventListener("seeked", resolve, { once: true });
    video.currentTime = timeOf(frame);
  });

  const bring = async (frame) => {
    hold();
    wanted = Math.min(last, Math.max(0, frame));
    tell();
    await Promise.all(videos.map((video) => seek(video, wanted)));
  };

  const show = async (frame) => {
    const mine = ++order;
    playing = false;
    await bring(frame);
    if (mine === order) tell(true);
  };

  const play = async (frame) => {
    const mine = ++order;
    playing = true;
    await bring(frame);
    if (mine !== order) return;
    videos.forEach((video) => { video.playbackRate = rate; });
    const started = await Promise.allSettled(videos.map((video) => video.play()));
    if (mine !== order) return;
    if (started.some(({ status }) => status === "rejected")) return void show(wanted);
    requestAnimationFrame(() => follow(mine));
  };

  // The others run a little faster or slower until they agree with the clock; one that is far off stops them all, and
  // they begin again together.
  const follow = (mine) => {
    if (mine !== order) return;
    wanted = frameNow();
    tell();
    if (wanted === last || videos.some((video) => video.ended)) return void turn(mine);
    const drifts = others.map((video) => (video.currentTime - clock.currentTime) * fps);
    if (drifts.some((drift) => Math.abs(drift) > 1.5) && performance.now() - resynced > RESYNC_PAUSE) {
      resynced = performance.now();
      return void play(wanted);
    }
    others.forEach((video, i) => {
      const wish = rate * (1 - Math.max(-0.15, Math.min(0.15, drifts[i] / 3)));
      if (Math.abs(video.playbackRate - wish) > 0.01 * rate) video.playbackRate = wish;
    });
    requestAnimationFrame(() => follow(mine));
  };

  const turn = async (mine) => {
    await bring(last);
    await sleep(END_PAUSE);
    if (mine === order) play(0);
  };

  return {
    get playing() { return playing; },
    show,
    play: () => play(wanted === last ? 0 : wanted),
    pause: () => show(playing ? frameNow() : wanted),
    replay: () => play(0),
    step: (by) => show((playing ? frameNow() : wanted) + by),
    setRate: (value) => {
      rate = value;
      videos.forEach((video) => { video.playbackRate = rate; });
      tell(!playing);
    },
    close: () => { order += 1; hold(); },
  };
};
