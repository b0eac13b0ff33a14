/* The game of two numbers, played in the page itself: games, rules, theory and words. `two_numbers_page.js` shows them.

   What a game and a rule are, and all settings, are those of the package (`metagan_edu/games/toys.py`, `losses.py`,
   `rules/`): tests/test_two_numbers.py holds the paths and the eigenvalues equal. A pair is [the generator's, the
   discriminator's]; both players minimize. It is a plain script, since a browser loads no module from a file. */
"use strict";

const GEN = 0, DISC = 1;
const zip = (a, b, of) => [of(a[GEN], b[GEN]), of(a[DISC], b[DISC])];
const put = (pair, who, value) => who === GEN ? [value, pair[DISC]] : [pair[GEN], value];

// ---- games: G(z) = φ_G, D(x) = φ_D x, real data are the point 0, so that the fake logit is a = φ_G φ_D

const sigma = a => 1 / (1 + Math.exp(-a));
const bend = a => sigma(a) * sigma(-a);  // σ'
// Slopes of L_G and L_D in a, and the slopes of these.
const LOSSES = {
  minimax: { gen: a => -sigma(a), disc: sigma, genBend: a => -bend(a), discBend: bend },
  non_saturating: { gen: a => -sigma(-a), disc: sigma, genBend: bend, discBend: bend },
  least_squares: { gen: a => a - 1, disc: a => a, genBend: () => 1, discBend: () => 1 },
  hinge: { gen: () => -1, disc: a => a > -1 ? 1 : 0, genBend: () => 0, discBend: () => 0 },
  wasserstein: { gen: () => -1, disc: () => 1, genBend: () => 0, discBend: () => 0 },
};
const BILINEAR = { gen: () => 1, disc: () => -1, genBend: () => 0, discBend: () => 0 };  // L_G = φ_G φ_D = -L_D

/* The game's two own gradients, and their derivatives; R1 adds γ/2 φ_D² to L_D. */
function gameOf({ game, loss, r1 }) {
  const pays = game === "bilinear" ? BILINEAR : LOSSES[loss], gamma = game === "bilinear" ? 0 : r1;
  return {
    gradients: ([x, y]) => [pays.gen(x * y) * y, pays.disc(x * y) * x + gamma * y],
    genLossInDisc: ([x, y]) => pays.gen(x * y) * x,
    jacobian: ([x, y]) => [
      [pays.genBend(x * y) * y * y, pays.genBend(x * y) * x * y + pays.gen(x * y)],
      [pays.discBend(x * y) * x * y + pays.disc(x * y), pays.discBend(x * y) * x * x + gamma],
    ],
  };
}

// ---- rules: (game, state, settings) -> state: the numbers, the velocities, and, of an optimist, the last updates

const begin = start => ({ w: start, velocity: [0, 0], past: [0, 0] });

/* One player's step of heavy ball: m ← β m + g, w ← w - η m. */
function move(state, who, slope, { rates, momentum }) {
  const velocity = momentum * state.velocity[who] + slope;
  return {
    w: put(state.w, who, state.w[who] - rates[who] * velocity),
    velocity: put(state.velocity, who, velocity),
  };
}
const moveBoth = (state, slopes, how) => move(move(state, GEN, slopes[GEN], how), DISC, slopes[DISC], how);

const RULES = {
  simultaneous: (game, state, how) => moveBoth(state, game.gradients(state.w), how),

  alternating(game, state, how) {
    for (let k = 0; k < how.discSteps; k++) state = move(state, DISC, game.gradients(state.w)[DISC], how);
    return move(state, GEN, game.gradients(state.w)[GEN], how);
  },

  /* G descends L_G(φ_G, φ_D after K steps of D); the total derivative carries dφ_D/dφ_G through these steps. */
  unrolled(game, state, how) {
    let ahead = state, disc = 0, velocity = 0;  // the last two: derivatives in φ_G
    for (let k = 0; k < how.numUnroll; k++) {
      const [inGen, inDisc] = game.jacobian(ahead.w)[DISC];
      velocity = how.momentum * velocity + inGen + inDisc * disc;
      disc -= how.rates[DISC] * velocity;
      ahead = move(ahead, DISC, game.gradients(ahead.w)[DISC], how);
    }
    const total = game.gradients(ahead.w)[GEN] + game.genLossInDisc(ahead.w) * disc;
    return moveBoth(state, [total, game.gradients(state.w)[DISC]], how);
  },

  optimistic(game, state, how) {
    const plain = moveBoth(state, game.gradients(state.w), how);
    const now = zip(plain.w, state.w, (after, before) => after - before);
    return { ...plain, w: zip(plain.w, zip(now, state.past, (u, last) => u - last), (w, more) => w + more), past: now };
  },

  extragradient(game, state, how) {
    const ahead = moveBoth(state, game.gradients(state.w), how);
    return moveBoth({ ...ahead, w: state.w }, game.gradients(ahead.w), how);
  },

  consensus(game, state, how) {
    const g = game.gradients(state.w), [gen, disc] = game.jacobian(state.w);
    const pull = zip(gen, disc, (inGen, inDisc) => inGen * g[GEN] + inDisc * g[DISC]);
    return moveBoth(state, zip(g, pull, (own, common) => own + how.gamma * common), how);
  },
};

const FAR = 1e6;
/* The numbers before each step and after the last; it ends early where they leave all bounds. */
function play(how) {
  const game = gameOf(how), path = [how.start];
  for (let state = begin(how.start); path.length <= how.steps;) {
    state = RULES[how.rule](game, state, how);
    if (!(Math.hypot(...state.w) < FAR)) break;
    path.push(state.w);
  }
  return path;
}

// ---- theory: by how much the rule's linearized step multiplies, in the long run, what is near the equilibrium

/* The largest modulus of the eigenvalues of the update map, velocities and last updates included. */
function largestModulus(how) {
  const game = gameOf(how), numbers = 6, small = 1e-5;
  const step = v => {
    const after = RULES[how.rule](game, { w: v.slice(0, 2), velocity: v.slice(2, 4), past: v.slice(4) }, how);
    return [...after.w, ...after.velocity, ...after.past ?? [0, 0]];
  };
  const nudged = (i, by) => Array.from({ length: numbers }, (_, j) => i === j ? by : 0);
  const columns = Array.from({ length: numbers }, (_, i) => {
    const behind = step(nudged(i, -small));
    return step(nudged(i, small)).map((value, j) => (value - behind[j]) / (2 * small));
  });
  return spectralRadius(columns);
}

/* lim ‖Aⁿ‖^(1/n), by squaring: A, A², A⁴, … each divided by its size, which is counted as a logarithm. */
function spectralRadius(matrix) {
  let log = 0;
  for (let share = 1; share > 1e-12; share /= 2) {
    const size = Math.max(...matrix.flat().map(Math.abs));
    if (size === 0) return 0;
    log += share * Math.log(size);
    matrix = matrix.map(row => row.map(value => value / size));
    matrix = matrix.map(row => matrix[0].map((_, j) => row.reduce((sum, value, k) => sum + value * matrix[k][j], 0)));
  }
  return Math.exp(log);
}

// ---- words

function theory(modulus) {
  const number = modulus < 1000 ? modulus.toFixed(5) : modulus.toPrecision(3);
  const verdict = Math.abs(modulus - 1) < 1e-9 ? "1: to first order the way leads neither in nor out"
    : `${number}, ${modulus > 1 ? "above 1: near the equilibrium the way leads out"
      : "below 1: near the equilibrium the way leads in"}`;
  return `The largest eigenvalue of the update map at (0, 0) has the modulus ${verdict}.`;
}

/* How often a path has gone round the origin, counter-clockwise, at each of its steps. */
function turns(path) {
  let angle = 0;
  return path.map(([c, d], t) => {
    const [a, b] = path[Math.max(t - 1, 0)];
    return angle += Math.atan2(a * d - b * c, a * c + b * d) / (2 * Math.PI);
  });
}

/* Distances to be compared, first and last: of a path that goes round, an ellipse too, the farthest of a whole turn. */
function reach(path) {
  const round = turns(path).map(Math.abs), far = path.map(w => Math.hypot(...w)), all = round.at(-1);
  if (all < 2) return [far[0], far.at(-1)];
  return [Math.max(...far.filter((_, t) => round[t] <= 1)), Math.max(...far.filter((_, t) => round[t] >= all - 1))];
}

function happened(path, ended) {
  const [from, to] = [path[0], path.at(-1)].map(w => Math.hypot(...w)), steps = path.length - 1;
  const stopped = ended ? ` The next step leaves all bounds, and the game is stopped.` : "";
  if (steps === 0) return `The players stand at a distance of ${from.toFixed(2)} from the equilibrium.${stopped}`;
  const after = `After ${steps} step${steps === 1 ? "" : "s"} the`;
  if (path.every(w => w.join() === path[0].join())) return `${after} players stand where they began.${stopped}`;
  const round = Math.abs(turns(path).at(-1)) > 0.5, [first, last] = reach(path);
  const grew = last > 1.02 * first, fell = last < 0.98 * first;
  const [change, way] = grew ? ["grew", round ? "it spirals outward" : "it moves away"]
    : fell ? ["fell", round ? "it spirals inward" : "it comes closer"]
      : ["went", round ? "it goes in circles" : "it comes hardly closer, and goes hardly away"];
  return `${after} distance from the equilibrium ${change} from ${from.toFixed(2)} to ${to.toPrecision(3)}: `
    + `${way}.${stopped}`;
}
