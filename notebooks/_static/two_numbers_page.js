/* The page of the game of two numbers: its drawing and its controls, over `two_numbers.js`. */
"use strict";

// ---- drawing: an SVG of 400 x 400 in which the plane reaches from -limit to limit

const SIZE = 400, MARGIN = 34, SPAN = (SIZE - 2 * MARGIN) / 2;

function drawing(svg) {
  const made = (name, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return svg.appendChild(element);
  };
  made("path", { class: "axes", d: `M${MARGIN} 200H${SIZE - MARGIN}M200 ${MARGIN}V${SIZE - MARGIN}` });
  const [field, tails] = ["field", "tails"].map(name => made("path", { class: name }));
  const line = made("polyline", { class: "path" });
  const equilibrium = made("text", { class: "star", x: 200, y: 200 });
  const first = made("circle", { class: "start", r: 6 }), last = made("circle", { class: "now", r: 5 });
  equilibrium.textContent = "★";
  const label = (x, y, text = "") => Object.assign(made("text", { x, y }), { textContent: text });
  label(SIZE - MARGIN, 190, "G"), label(200, 20, "D");
  const ticks = [label(MARGIN, 216), label(SIZE - MARGIN, 216), label(180, SIZE - MARGIN + 4), label(180, MARGIN + 4)];
  let limit = 2;

  const place = ([x, y]) => [200 + x / limit * SPAN, 200 - y / limit * SPAN];
  const at = (circle, w) => zip(["cx", "cy"], place(w), (name, value) => circle.setAttribute(name, value));
  return {
    where: (x, y) => [(x - 200) / SPAN * limit, (200 - y) / SPAN * limit],
    draw(path, game) {
      limit = Math.min(64, Math.max(2, 2 ** Math.ceil(Math.log2(Math.max(...path.flat().map(Math.abs))))));
      line.setAttribute("points", path.map(w => place(w).map(x => x.toFixed(2)).join()).join(" "));
      at(first, path[0]), at(last, path.at(-1));
      const strokes = strokesOf(game, limit);
      field.setAttribute("d", strokes.map(([tail, head]) => `M${place(tail)}L${place(head)}`).join(""));
      tails.setAttribute("d", strokes.map(([tail]) => `M${place(tail)}h0`).join(""));
      ticks.forEach((tick, i) => tick.textContent = (i % 2 ? "" : "−") + limit);
    },
  };
}

/* Short strokes along the field -g, from tail to head, longer where it is stronger. */
function strokesOf(game, limit) {
  const grid = [-0.9, -0.6, -0.3, 0, 0.3, 0.6, 0.9].map(share => share * limit);
  return grid.flatMap(x => grid.map(y => [x, y])).map(tail => {
    const slopes = game.gradients(tail), size = Math.hypot(...slopes), length = 0.2 * limit / (size + 0.2 * limit);
    return [tail, zip(tail, slopes, (from, slope) => from - slope * length)];
  }).filter(([tail, head]) => tail[GEN] !== head[GEN] || tail[DISC] !== head[DISC]);
}

// ---- controls

const MOST_SECONDS = 6, STEPS_A_SECOND = 20;  // of a play: longer paths go faster
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

function settingsOf(form) {
  const of = name => form.elements[name].value, number = name => Number(of(name));
  return {
    game: of("game"), loss: of("loss"), rule: of("rule"), r1: number("r1"), momentum: number("momentum"),
    rates: [number("genRate"), number("discRate")], start: [number("startGen"), number("startDisc")],
    discSteps: number("discSteps"), numUnroll: number("numUnroll"), gamma: number("gamma"), steps: number("steps"),
  };
}

/* The sentence that refuses what an input holds; "" where it is in order. */
function refused(input) {
  const { badInput, valueMissing, rangeUnderflow, rangeOverflow, stepMismatch } = input.validity;
  const whole = input.step === "1";
  if (!(badInput || valueMissing || rangeUnderflow || rangeOverflow || whole && stepMismatch)) return "";
  const kind = whole ? "a whole number" : "a number";
  return `“${input.labels[0].textContent.trim()}” must be ${kind} from ${input.min} to ${input.max}.`;
}

function control(form) {
  const part = name => form.querySelector(`[data-part="${name}"]`), plane = part("plane"), picture = drawing(plane);
  let path = [], shown = 0, playing = 0, how;

  function show(count) {
    shown = Math.min(Math.max(count, 0), path.length - 1);
    picture.draw(path.slice(0, shown + 1), gameOf(how));
    part("count").textContent = `Step ${shown} of ${path.length - 1}`;
  }
  function say(sentence, verdict) {
    part("said").textContent = sentence;
    part("theory").textContent = verdict;
  }
  function pause() {
    cancelAnimationFrame(playing);
    playing = 0;
    part("play").textContent = "Play";
  }
  function go(count) {
    pause();
    show(count);
    const ended = shown === path.length - 1 && shown < how.steps;
    say(happened(path.slice(0, shown + 1), ended), theory(largestModulus(how)));
  }

  function start() {
    const from = shown < path.length - 1 ? shown : 0;
    let began;
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return go(path.length - 1);
    const pace = Math.max(STEPS_A_SECOND, how.steps / MOST_SECONDS) / 1000;
    part("play").textContent = "Pause";
    say("", theory(largestModulus(how)));  // what is said of the end is not said on the way
    playing = requestAnimationFrame(function frame(now) {
      began ??= now;
      show(from + Math.floor((now - began) * pace));
      if (shown < path.length - 1) playing = requestAnimationFrame(frame);
      else go(shown);
    });
  }

  function renew() {
    pause();
    const chosen = [form.elements.game.value, form.elements.rule.value], inputs = [...form.querySelectorAll("input")];
    for (const only of form.querySelectorAll("[data-for]")) only.hidden = !chosen.includes(only.dataset.for);
    const wrong = inputs.find(input => !input.closest("[hidden]") && refused(input));
    for (const input of inputs) input.setAttribute("aria-invalid", input === wrong);
    for (const name of Object.keys(act)) part(name).disabled = Boolean(wrong);
    if (wrong) return say(refused(wrong), "");
    how = settingsOf(form);
    path = play(how);
    go(path.length - 1);
  }

  function startAt(w) {
    zip(["startGen", "startDisc"], w, (name, value) => {
      const input = form.elements[name];
      input.value = Math.min(Math.max(value, input.min), input.max).toFixed(2);
    });
    renew();
  }

  form.addEventListener("input", renew);
  form.addEventListener("submit", event => event.preventDefault());
  plane.addEventListener("click", event => {
    const box = plane.getBoundingClientRect();
    const [right, down] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    startAt(picture.where(right * SIZE, down * SIZE));
  });
  plane.addEventListener("keydown", event => {
    if (!KEYS[event.key]) return;
    event.preventDefault();
    startAt(zip(settingsOf(form).start, KEYS[event.key], (value, by) => value + by * (event.shiftKey ? 0.01 : 0.1)));
  });
  const act = {
    play: () => playing ? go(shown) : start(), step: () => go(shown + 1), back: () => go(shown - 1), reset: () => go(0),
  };
  for (const name of Object.keys(act)) part(name).addEventListener("click", act[name]);
  renew();
}

document.querySelectorAll("form.two-numbers").forEach(form => {
  form.hidden = false;
  document.querySelectorAll(".two-numbers-still").forEach(still => still.hidden = true);
  control(form);
});
