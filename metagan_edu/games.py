"""Games of two players, from two scalars to image GANs, all of one type.

A :class:`Game` holds two losses and nothing that changes; the players' parameters are values that a rule moves.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from . import autodiff, losses, networks, seeds, trees


class Player(NamedTuple):
    """``params``: trainable values; ``state``: non-trainable values, such as moving statistics."""

    params: Any
    state: Any = ()


class Players(NamedTuple):
    """Something of each player: their :class:`Player` values, optimizers, slots, rates, …"""

    gen: Any
    disc: Any


class Hyper(NamedTuple):
    """What may change while training goes on: *factors* on what was configured, 1 meaning "as configured".

    ``lr``: on each player's update (a scalar, or a tree of the parameters' structure); ``penalty``: on the penalty.
    ``clip`` is no factor: a pair :class:`Players` of thresholds above 0 on the norm of each player's gradient, or
    empty, so that a rule without clipping does not pay for it. A schedule, a controller or a meta-learner sets these;
    a rule and the game's losses read them.
    """

    lr: Players = Players(1.0, 1.0)
    penalty: Any = 1.0
    clip: Any = ()


class Game(NamedTuple):
    """A game, as five pure functions.

    ``init(seed) -> Players``
    ``gen_loss, disc_loss (players, batch, seed, hyper) -> (scalar, the mover's new state)``: each player minimizes its
    own
    ``generate(players, n, seed) -> samples``; ``score(players, x) -> logits`` (``None`` in games without samples)
    """

    init: Callable
    gen_loss: Callable
    disc_loss: Callable
    generate: Callable | None = None
    score: Callable | None = None


def no_data(seed):
    """The batches of a game that needs no data."""
    return ()


def gan(gen, disc, *, loss=None, penalty=losses.no_penalty):
    """The GAN of two networks: ``L_G`` and ``L_D`` of ``loss``, plus ``penalty`` on the discriminator.

    ``gen``: network from noise ``(n, latent_dim)``, ``z ~ N(0, I)``, to samples; ``disc``: network from samples to one
    logit; ``loss``: a :class:`~metagan_edu.losses.Loss` (default: non-saturating). The batch is a tensor of real
    examples. Raises ``ValueError`` where the shapes of the networks do not fit each other (here) or the batch (when
    traced).
    """
    loss = losses.non_saturating() if loss is None else loss
    if len(gen.input_shape) != 1:
        raise ValueError(f"the generator must take noise of shape (latent_dim,), not {gen.input_shape}.")
    if gen.output_shape != disc.input_shape:
        raise ValueError(f"the generator makes {gen.output_shape}, but the discriminator takes {disc.input_shape}.")
    if disc.output_shape != (1,):
        raise ValueError(f"the discriminator must return one logit, shape (1,), not {disc.output_shape}.")

    def noise(n, seed, dtype=tf.float32):
        return tf.random.stateless_normal([n, *gen.input_shape], seeds.fold_in(seed, "z"), dtype=dtype)

    def play(players, batch, seed):
        if tuple(batch.shape[1:]) != disc.input_shape:
            raise ValueError(
                f"a batch has shape {tuple(batch.shape)}; the discriminator takes (n, *{disc.input_shape})."
            )
        if not batch.dtype.is_floating:
            raise ValueError(f"a batch must hold floating-point numbers, not {batch.dtype.name}.")
        fake, gen_state = gen.apply(*players.gen, noise(tf.shape(batch)[0], seed, batch.dtype))
        real_logits, disc_state = disc.apply(*players.disc, batch)
        fake_logits, disc_state = disc.apply(players.disc.params, disc_state, fake)
        return fake, real_logits, fake_logits, Players(gen_state, disc_state)

    def gen_loss(players, batch, seed, hyper):
        _, real_logits, fake_logits, state = play(players, batch, seed)
        return loss.gen(real_logits, fake_logits), state.gen

    def disc_loss(players, batch, seed, hyper):
        fake, real_logits, fake_logits, state = play(players, batch, seed)
        value = loss.disc(real_logits, fake_logits)
        cost = penalty(lambda x: disc.apply(*players.disc, x)[0], batch, tf.cast(fake, batch.dtype), seed)
        return value + trees.as_type(hyper.penalty, value.dtype) * tf.cast(cost, value.dtype), state.disc

    def init(seed):
        return Players(*(Player(*n.init(s)) for n, s in zip((gen, disc), seeds.split(seed, 2), strict=True)))

    def generate(players, n, seed):
        return tf.cast(gen.apply(*players.gen, noise(n, seed), training=False)[0], tf.float32)

    def score(players, x):
        return disc.apply(*players.disc, x, training=False)[0]

    return Game(init, gen_loss, disc_loss, generate, score)


def _scalar_network(function, start):
    def apply(params, state, x, training=True):
        return function(params, x), state

    return networks.Network(lambda seed: (tf.constant(start), ()), apply, (1,), (1,), None)


def dirac(loss=None, *, penalty=losses.no_penalty, start=(1.0, 1.0)):
    """The Dirac-GAN: real data is the point 0, ``G(z) = θ``, ``D(x) = ψx`` (Mescheder et al. 2018, definition 2.1).

    It is :func:`gan` with two one-parameter networks, so every rule, loss and penalty runs on it unchanged. The
    equilibrium is (θ, ψ) = (0, 0); ``start`` is where ``init`` puts the players. It needs no batches (:func:`no_data`).
    """
    point = _scalar_network(lambda theta, z: theta + 0 * z, float(start[0]))
    line = _scalar_network(lambda psi, x: psi * x, float(start[1]))
    game = gan(point, line, loss=loss, penalty=penalty)

    def on_the_point(loss):
        def at_zero(players, batch, seed, hyper):
            return loss(players, tf.zeros([1, 1], players.gen.params.dtype), seed, hyper)

        return at_zero

    return game._replace(gen_loss=on_the_point(game.gen_loss), disc_loss=on_the_point(game.disc_loss))


def bilinear(matrix=((1.0,),), *, start=None):
    """The bilinear game ``min_x max_y xᵀAy``: ``L_G = xᵀAy``, ``L_D = -xᵀAy``, with ``A`` of shape (m, n).

    ``start``: a pair of vectors; by default all ones. The equilibrium of an invertible A is (0, 0).
    """
    matrix = tf.convert_to_tensor(matrix, tf.float32)
    if matrix.shape.rank != 2:
        raise ValueError(f"the matrix of a bilinear game has two axes, not shape {tuple(matrix.shape)}.")
    start = (tf.ones(matrix.shape[0]), tf.ones(matrix.shape[1])) if start is None else start
    start = Players(*(tf.convert_to_tensor(value, tf.float32) for value in start))
    if (start.gen.shape, start.disc.shape) != (matrix.shape[:1], matrix.shape[1:]):
        raise ValueError(f"a matrix {tuple(matrix.shape)} needs vectors of these lengths to start from, not of shapes "
                         f"{tuple(start.gen.shape)} and {tuple(start.disc.shape)}.")  # fmt: skip

    def value(players):
        x, y = players.gen.params, players.disc.params
        return tf.reduce_sum(x[:, None] * tf.cast(matrix, x.dtype) * y[None, :])

    return Game(
        init=lambda seed: Players(*(Player(value) for value in start)),
        gen_loss=lambda players, batch, seed, hyper: (value(players), ()),
        disc_loss=lambda players, batch, seed, hyper: (-value(players), ()),
    )


def field(game, players, batch=(), seed=0, hyper=Hyper()):  # noqa: B008 - an immutable constant
    """The game's vector field ``v = (-∂L_G/∂θ, -∂L_D/∂ψ)``: where simultaneous gradient descent wants to go."""
    seed = seeds.make(seed)

    def own_gradient(loss, who):
        def at(params):
            mover = getattr(players, who)._replace(params=params)
            return loss(players._replace(**{who: mover}), batch, seed, hyper)

        return autodiff.grad(at)(getattr(players, who).params)

    gradients = Players(own_gradient(game.gen_loss, "gen"), own_gradient(game.disc_loss, "disc"))
    return trees.scale(-1.0, gradients)


def _placed(template, at):
    """The pair ``at`` as float64 tensors of the shapes of ``template``'s leaves."""
    if len(at) != 2:
        raise ValueError(f"at must be the pair (θ, ψ) of the players' parameters, not {len(at)} values.")
    values = [v for t, value in zip(template, at, strict=True) for v in (value if tf.nest.is_nested(t) else [value])]
    values = [tf.convert_to_tensor(value, tf.float64) for value in values]
    shapes = [[tuple(x.shape) for x in tree] for tree in (values, trees.leaves(template))]
    if shapes[0] != shapes[1]:
        raise ValueError(f"at has the shapes {shapes[0]}, but the players' parameters have {shapes[1]}.")
    return trees.like(template, values)


def eigenvalues(game, rule=None, *, at, batches=no_data, seed=0, num_steps=1):
    """Eigenvalues of a game's linearization at a point, in complex double precision, largest modulus first.

    Without a rule: of the Jacobian of :func:`field` (continuous time; a real part below 0 is stable). With a rule: of
    the Jacobian of ``num_steps`` steps of its update map from fresh slots, which are included (a modulus below 1 is
    stable); more than one for a rule that goes in cycles, such as look-ahead. ``at``: the pair (θ, ψ) of the players'
    parameters. Computed in float64. Raises ``ValueError`` where ``at`` does not have the shapes of the players'
    parameters.
    """
    params = _placed(Players(*(player.params for player in game.init(seeds.make(seed)))), at)
    players = Players(*(Player(value) for value in params))
    if rule is None:
        vector, unflatten = trees.flatten(params)

        def move(vector):
            moved = Players(*(Player(value) for value in unflatten(vector)))
            return trees.flatten(field(game, moved, batches(seeds.make(seed)), seed))[0]
    else:
        start = rule.init(game, players)
        is_float = [x.dtype.is_floating for x in trees.leaves(start)]
        vector, unflatten = trees.flatten([x for x in trees.leaves(start) if x.dtype.is_floating])

        def move(vector):
            floats = iter(unflatten(vector))
            whole = [next(floats) if f else x for f, x in zip(is_float, trees.leaves(start), strict=True)]
            after = trees.like(start, whole)
            for _ in range(num_steps):
                after, _ = rule.step(game, after, batches, seeds.make(seed), Hyper())
            return trees.flatten([x for x in trees.leaves(after) if x.dtype.is_floating])[0]

    linearized = tf.function(lambda v: autodiff.jacobian(move, v), autograph=False).get_concrete_function(vector)
    values = tf.linalg.eigvals(linearized(vector)).numpy()
    return values[abs(values).argsort()[::-1]]
