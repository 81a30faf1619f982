// The questions of one screen: their choices, what is chosen, and which of them the keys answer.
"use strict";

const ORDINALS = ["1st", "2nd", "3rd", "4th", "5th", "6th"];

// places: how many clips there are. answered: called when the last open question got its answer.
const createQuestions = (packet, words, places, container, answered) => {
  const isRanking = packet.design === "ranking";
  const choices = choicesOf();
  const values = new Map(packet.questions.map((question) => [question, isRanking ? [] : null]));
  const groups = new Map();
  let current = packet.questions[0];

  function choicesOf() {
    if (packet.design === "rating") return words.ratings.map((word, i) => ({ key: `${i + 1}`, value: i + 1, label: word }));
    const clips = Array.from({ length: places }, (_, i) => ({ key: `${i + 1}`, value: i + 1, label: `Clip ${i + 1}` }));
    if (packet.ties) clips.splice(1, 0, { key: "t", value: "tie", label: "Tie" });
    return clips;
  }

  const isAnswered = (question) => (isRanking ? values.get(question).length === places : values.get(question) !== null);
  const firstOpen = () => {
    const start = packet.questions.indexOf(current);
    const onwards = [...packet.questions.slice(start), ...packet.questions.slice(0, start)];
    return onwards.find((question) => !isAnswered(question));
  };

  const mark = (question) => {
    for (const [name, group] of groups) group.classList.toggle("current", name === question);
    current = question;
  };

  const focus = (question) => {
    mark(question);
    groups.get(question).focus({ preventScroll: true });
    groups.get(question).scrollIntoView({ block: "nearest" });
  };

  const draw = (question) => {
    const value = values.get(question);
    for (const { button, choice } of groups.get(question).choices) {
      const rank = isRanking ? value.indexOf(choice.value) : -1;
      const isChosen = isRanking ? rank >= 0 : value === choice.value;
      button.setAttribute("aria-pressed", isChosen);
      button.querySelector(".badge").textContent = rank >= 0 ? ORDINALS[rank] : choice.key;
    }
    groups.get(question).classList.toggle("answered", isAnswered(question));
  };

  const choose = (question, choice) => {
    mark(question);
    if (isRanking) {
      const order = values.get(question);
      values.set(question, order.includes(choice.value) ? order.filter((place) => place !== choice.value) : [...order, choice.value]);
    } else {
      values.set(question, choice.value);
    }
    draw(question);
    if (!isAnswered(question)) return;
    const open = firstOpen();
    if (open) focus(open);
    else answered();
  };

  const build = (question, number) => {
    const id = `question-${number}`;
    const group = element("div", { className: "question", tabIndex: -1 });
    group.setAttribute("role", "group");
    group.setAttribute("aria-labelledby", id);
    group.dataset.question = question;
    group.choices = choices.map((choice) => {
      const button = element(
        "button",
        { type: "button", className: "choice" },
        element("span", { className: "badge" }),
        element("span", { textContent: choice.label }),
      );
      button.setAttribute("aria-keyshortcuts", choice.key);
      button.addEventListener("click", () => choose(question, choice));
      return { button, choice };
    });
    const text = element("p", { id, className: "words" }, element("strong", { textContent: words.titles[question] }), ` ${words.questions[question]}`);
    group.append(text, element("div", { className: "choices" }, ...group.choices.map(({ button }) => button)));
    group.addEventListener("focusin", () => mark(question));
    groups.set(question, group);
    draw(question);
    return group;
  };

  const empty = (question) => {
    values.set(question, isRanking ? [] : null);
    draw(question);
  };

  container.replaceChildren(...packet.questions.map(build));
  container.dataset.design = packet.design;

  return {
    values: () => Object.fromEntries(values),
    firstOpen,
    focus: () => focus(firstOpen() ?? current),
    ask: (again) => {
      again.forEach(empty);
      focus(again[0]);
    },
    key: (key) => {
      const choice = choices.find((candidate) => candidate.key === key);
      if (choice) choose(current, choice);
      return Boolean(choice);
    },
    clear: () => {
      const value = values.get(current);
      const isEmpty = isRanking ? value.length === 0 : value === null;
      if (isEmpty) return void focus(packet.questions[Math.max(0, packet.questions.indexOf(current) - 1)]);
      values.set(current, isRanking ? value.slice(0, -1) : null);
      draw(current);
      focus(current);
    },
  };
};
