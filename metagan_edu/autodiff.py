"""Derivatives of functions of explicit values, and unrolled loops that can be differentiated.

This is the one module with gradient tapes, and the one place where gradients are averaged over the replicas of a
``tf.distribute`` strategy: what comes out of :func:`value_and_grad` is the gradient on the global batch, so that
clipping, Adam and unrolling act on the same numbers on one device and on many.
"""

import tensorflow as tf

from . import trees


def _over_replicas(tree):
    """The mean over replicas of a distribution strategy (the tree itself outside one)."""
    if not tf.distribute.in_cross_replica_context():
        context = tf.distribute.get_replica_context()
        if context.num_replicas_in_sync > 1:
            return trees.map(lambda x: context.all_reduce(tf.distribute.ReduceOp.MEAN, x), tree)
    return tree


def value_and_grad(fn):
    """``x -> (fn(x), ∂fn(x)/∂x)`` for a scalar function of a tree.

    ``fn`` may return ``(scalar, more)``; the first element is differentiated and the pair is handed through. The
    result can be differentiated again, so meta-gradients are nested calls. An entry that the value does not depend on
    has gradient 0. Raises ``ValueError`` where the value is not a scalar.
    """

    def wrapped(x, *args):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(trees.leaves(x))
            result = fn(x, *args)
            value = result[0] if isinstance(result, tuple) else result
        if value.shape.rank not in (0, None):
            raise ValueError(f"only a scalar has a gradient; the function returned shape {tuple(value.shape)}.")
        grads = tape.gradient(value, x, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return result, _over_replicas(grads)

    return wrapped


def grad(fn):
    """``x -> ∂fn(x)/∂x`` for a scalar function of a tree (see :func:`value_and_grad`)."""
    return lambda x, *args: value_and_grad(fn)(x, *args)[1]


def vjp(fn, x, cotangent):
    """``Jᵀu``: the vector-Jacobian product of a tree-valued function at ``x``."""

    def contracted(x):
        return trees.dot(fn(x), cotangent)

    return grad(contracted)(x)


def jvp(fn, x, tangent):
    """``Jv``: the Jacobian-vector product of a tree-valued function at ``x``, ``J = ∂fn/∂x``.

    Two reverse passes: ``Jᵀu`` is linear in ``u``, and its derivative along ``v`` is ``Jv``. (In a game ``J`` is not
    symmetric, so ``Jv`` and ``Jᵀv`` differ.)
    """
    zero = trees.zeros(fn(x))
    return vjp(lambda u: vjp(fn, x, u), zero, tangent)


def hvp(fn, x, tangent):
    """``Hv``: the Hessian of a scalar function at ``x`` times a vector (Pearlmutter 1994)."""
    return grad(lambda x: trees.dot(grad(fn)(x), tangent))(x)


def jacobian(fn, x):
    """The Jacobian ``(m, n)`` of a function from a vector ``(n,)`` to a vector ``(m,)``."""
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(x)
        y = fn(x)
    return tape.jacobian(y, x, unconnected_gradients=tf.UnconnectedGradients.ZERO, experimental_use_pfor=False)


def python_loop(body, state, num_steps):
    """``state = body(state)``, ``num_steps`` times, each step a copy in the graph: fastest to run, slow to compile."""
    for _ in range(num_steps):
        state = body(state)
    return state


def while_loop(body, state, num_steps):
    """The same as :func:`python_loop` with one body in the graph: quick to compile, a little slower to run.

    Memory grows linearly with the number of steps in both: the reverse pass needs every intermediate state.
    """
    result = tf.while_loop(
        lambda i, *_: i < num_steps,
        lambda i, *leaves: (i + 1, *trees.leaves(body(trees.like(state, leaves)))),
        (tf.constant(0), *trees.leaves(state)),
        maximum_iterations=num_steps,
    )
    return trees.like(state, result[1:])


def unroll(body, state, num_steps):
    """Repeat ``body`` so that the result can be differentiated with respect to ``state``.

    A Python loop up to 8 steps and a while loop beyond, where compiling would take longer than it saves.
    """
    return (python_loop if num_steps <= 8 else while_loop)(body, state, num_steps)


def without_gradient(loop):
    """``loop``, marked (``carries_gradient = False``) so that who differentiates a look-ahead takes its result as
    constant.

    The mark, and not ``tf.stop_gradient``: that would hide the loop from the derivatives *around* as well, from
    eigenvalues of the update map and from meta-gradients. The loop is run outside the inner derivative instead.
    """

    def repeat(body, state, num_steps):
        return loop(body, state, num_steps)

    repeat.carries_gradient = False
    return repeat
