"""The generator looks ahead: it minimizes the loss that it will have after the discriminator has reacted K times.

    φ_D⁰ = φ_D,    φ_Dᵏ⁺¹ = φ_Dᵏ + update of D's optimizer for ∂L_D(φ_G, φ_Dᵏ)/∂φ_D
    φ_G ← φ_G - η_G d/dφ_G L_G(φ_G, φ_Dᴷ(φ_G, φ_D)),    φ_D ← φ_D¹

The derivative is total: it goes through the K inner steps, optimizer included. Of these only the first is really taken;
the others, with their slots, are forgotten. K = 0 is the simultaneous rule. All K steps see one batch and one draw of
noise, so that the real step is the first imagined one, and its gradient is counted once: K of them, and K products.
(Metz, Poole, Pfau & Sohl-Dickstein 2017, eq. 7–11.)

With ``loop=autodiff.without_gradient(autodiff.unroll)`` G answers the discriminator that will be, as if it could not
change it: ``∂L_G(φ_G, φ_Dᴷ)/∂φ_G`` at constant φ_Dᴷ. That is cheaper, and another rule: not the one of the paper.
"""

from collections.abc import Callable

from .. import autodiff, checks, replicas, seeds
from ..optimizers import Optimizer
from ..values import by_value
from . import base


@by_value
def unrolled(
    gen_optimizer: Optimizer, disc_optimizer: Optimizer, *, num_unroll: int, loop: Callable = autodiff.unroll
) -> base.Rule:
    """The unrolled rule with ``num_unroll`` = K; ``loop``: how the inner steps are repeated (see ``autodiff``).

    Raises ``ValueError`` for a negative K.
    """
    checks.whole("num_unroll", num_unroll, 0)
    optimizers = base.pair(gen_optimizer, disc_optimizer)
    through = getattr(loop, "carries_gradient", True)

    def step(game, state, batches, seed, hyper):
        data_seed, noise_seed = seeds.split(seed, 2)
        batch = batches(data_seed)

        def react(state):
            return base.turn(game, "disc", optimizers, state, batch, noise_seed, hyper)[0]

        def with_gen(params):
            return state.players._replace(gen=state.players.gen._replace(params=params))

        def ahead(params):
            return loop(react, state._replace(players=with_gen(params)), num_unroll).players.disc

        constant = None if through else ahead(state.players.gen.params)

        def loss_ahead(params):
            disc = ahead(params) if through else constant
            return game.gen_loss(with_gen(params)._replace(disc=disc), batch, noise_seed, hyper)

        (gen_loss, gen_state), grads = autodiff.value_and_grad(loss_ahead)(state.players.gen.params)
        gen_moved = base.move("gen", optimizers, state, replicas.mean(grads), gen_state, hyper)
        disc_moved, disc_loss = base.turn(game, "disc", optimizers, state, batch, noise_seed, hyper)
        products = num_unroll if through else 0
        # K, not 1 + K: compiled, a step took as long (to 2 %, at K = 1 and 5) without D's own move
        spent = base.info(game, (gen_loss, disc_loss), [batch], disc_grads=max(1, num_unroll), products=products)
        return base.merge(gen_moved, disc_moved), spent

    return base.Rule(base.init(optimizers), step, base.view)
