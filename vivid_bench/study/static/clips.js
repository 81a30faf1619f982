// The videos of a screen: fetched before they are needed, shown side by side, let go of afterwards.
"use strict";

const element = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

const createClips = (stage, packet) => {
  let held = new Map(); // Media file -> its video.

  const filesOf = (item) => (item ? [item.source, ...item.clips] : []);

  const load = (file) => {
    const video = element("video", { muted: true, playsInline: true, preload: "auto", disableRemotePlayback: true });
    video.ready = new Promise((resolve) => {
      video.addEventListener("loadedmetadata", () => resolve(true), { once: true });
      video.addEventListener("error", () => {
        video.failed = true;
        video.replaceWith(element("p", { textContent: "This video could not be loaded." }));
        resolve(false);
      }, { once: true });
    });
    video.src = `media/${encodeURIComponent(file)}`;
    return video;
  };

  // Hold the videos of some items and let go of all others.
  const hold = (...items) => {
    const files = new Set(items.flatMap(filesOf));
    for (const [file, video] of held) {
      if (files.has(file)) continue;
      video.removeAttribute("src");
      video.load();
    }
    held = new Map([...files].map((file) => [file, held.get(file) ?? load(file)]));
  };

  const figure = (video, i) => {
    const label = i === 0 ? "Source" : packet.design === "rating" ? "Clip" : `Clip ${i}`;
    video.setAttribute("aria-label", label);
    const screen = element("div", { className: "screen" }, video);
    return element("figure", { className: i === 0 ? "source" : "clip" }, element("figcaption", { textContent: label }), screen);
  };

  return {
    hold,
    // Put an item's videos on the stage and return them; each one's `ready` tells whether it could be loaded.
    show: (item) => {
      for (const [file, video] of held) if (video.failed) held.delete(file);
      hold(item);
      const videos = filesOf(item).map((file) => held.get(file));
      const total = videos.length;
      stage.style.setProperty("--columns", total <= 4 ? total : total === 7 ? 4 : 3);
      stage.style.setProperty("--questions", packet.questions.length);
      stage.classList.toggle("rows", total > 4);
      stage.replaceChildren(...videos.map(figure));
      return videos;
    },
    fit: (video) => stage.style.setProperty("--ratio", video.videoWidth / video.videoHeight),
  };
};
