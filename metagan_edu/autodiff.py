"""Derivatives of functions of explicit values, linear systems, and unrolled loops that can be differentiated.

This is the one module with gradient tapes. What is computed under several of them is differentiated as often:
:func:`order` says so to those who are right to first order only, which then refuse by name.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from . import checks, replicas, trees


class _Order(threading.local):
    value = 0


_order = _Order()


def order() -> int:
    """How many derivatives are being taken of what is computed at this place: 0 outside all functions of this module.

    A layer or a penalty that is right to first order alone asks this, and refuses from 2 on.
    """
    return _order.value


@contextlib.contextmanager
def _derivative(more=1):
    _order.value += more
    try:
        yield
    finally:
        _order.value -= more


@contextlib.contextmanager
def held_constant() -> Iterator[None]:
    """Inside, :func:`order` counts from 0: for values whose derivatives around are stopped, as a tangent's are."""
    with _derivative(-_order.value):
        yield


@contextlib.contextmanager
def _tape(x, persistent=False):
    with _derivative(), tf.GradientTape(persistent, watch_accessed_variables=False) as tape:
        tape.watch(trees.leaves(x))
        yield tape


def value_and_grad(fn: Callable) -> Callable:
    """``x -> (fn(x), ∂fn(x)/∂x)`` for a scalar function of a tree.

    ``fn`` may return ``(scalar, more)``; the first element is differentiated and the pair is handed through. The
    result can be differentiated again, so meta-gradients are nested calls. An entry that the value does not depend on
    has gradient 0. Raises ``ValueError`` where the value is not a scalar.
    """

    def wrapped(x, *args):
        with _tape(x) as tape:
            result = fn(x, *args)
            value = result[0] if isinstance(result, tuple) else result
        if value.shape.rank not in (0, None):
            raise ValueError(f"only a scalar has a gradient; the function returned shape {tuple(value.shape)}.")
        return result, _gradient(tape, value, x)

    return wrapped


def own_gradients(fn: Callable) -> Callable:
    """``x -> (fn(x), gradient)`` for ``fn(x) -> (value, more)`` whose value is a scalar, or several: one for each part.

    A scalar is differentiated in all of ``x``, as by :func:`value_and_grad`. Where the value is a tuple of scalars,
    ``x`` must be a tuple of as many parts, and part ``i`` gets the gradient of scalar ``i``, which is what each player
    of a game asks for; the forward pass is shared. Raises ``ValueError`` where ``x`` has other parts.
    """

    def wrapped(x):
        with _tape(x, persistent=True) as tape:
            result = fn(x)
        value = result[0]
        if not isinstance(value, tuple):
            return result, _gradient(tape, value, x)
        if not isinstance(x, tuple) or len(x) != len(value):
            raise ValueError(f"{len(value)} losses, one for each player, need parameters with a part for each player.")
        parts = [_gradient(tape, own, part) for own, part in zip(value, x, strict=True)]
        return result, type(x)(*parts) if hasattr(x, "_fields") else tuple(parts)

    return wrapped


def _gradient(tape, value, x):
    return tape.gradient(value, x, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def grad(fn: Callable) -> Callable:
    """``x -> ∂fn(x)/∂x`` for a scalar function of a tree (see :func:`value_and_grad`)."""
    return lambda x, *args: value_and_grad(fn)(x, *args)[1]


def vjp(fn: Callable, x: Any, cotangent: Any) -> Any:
    """``Jᵀu``: the vector-Jacobian product of a tree-valued function at ``x``."""
    with _tape(x) as tape:
        y = trees.leaves(fn(x))
    zero = tf.UnconnectedGradients.ZERO
    return tape.gradient(y, x, output_gradients=trees.leaves(cotangent), unconnected_gradients=zero)


def jvp(fn: Callable, x: Any, tangent: Any) -> Any:
    """``Jv``: the Jacobian-vector product of a tree-valued function at ``x``, ``J = ∂fn/∂x``.

    Two reverse passes: ``Jᵀu`` is linear in ``u``, and its derivative along ``v`` is ``Jv``. (In a game ``J`` is not
    symmetric, so ``Jv`` and ``Jᵀv`` differ.)
    """
    zero = trees.zeros(fn(x))
    return vjp(lambda u: vjp(fn, x, u), zero, tangent)


def hvp(fn: Callable, x: Any, tangent: Any) -> Any:
    """``Hv``: the Hessian of a scalar function at ``x`` times a vector (Pearlmutter 1994)."""
    return grad(lambda x: trees.dot(grad(fn)(x), tangent))(x)


def jacobian(fn: Callable, x: tf.Tensor) -> tf.Tensor:
    """The Jacobian ``(m, n)`` of a function from a vector ``(n,)`` to a vector ``(m,)``."""
    with _tape(x, persistent=True) as tape:
        y = fn(x)
    return tape.jacobian(y, x, unconnected_gradients=tf.UnconnectedGradients.ZERO, experimental_use_pfor=False)


def solve(matrix: Callable, right: Any, given: Any, solver: Callable) -> Any:
    """``x`` with ``matrix(given, x) = right``, differentiated as the solution that it is, not as iterations.

    ``matrix(given, x)``: linear in the tree ``x``, symmetric, and a function of the tree ``given`` alone (what else it
    captures counts as a constant); ``solver(linear function, right) -> x``. From ``A dx + dA x = db``:

        cotangent of b: v = A⁻¹u,    of given: -∂⟨v, A(given) x⟩/∂given,    for the cotangent u of x

    which are solutions again, so that every order is right. It holds at ``right = 0`` too, where the iterations of a
    conjugate gradient end before they begin and have no derivative.
    """
    count = len(trees.leaves(right))

    @tf.custom_gradient
    def solution(*leaves):
        b, w = forward = trees.like(right, leaves[:count]), trees.like(given, leaves[count:])
        x = solver(functools.partial(matrix, w), b)

        def backward(*cotangents):
            # Values of the way forward, taken into the graph of the way back: a tape there does not see them else,
            # where both are bodies of a while loop, and the gradient of w would be 0.
            b, w = trees.map(tf.identity, forward)
            v = solve(matrix, trees.like(right, cotangents), w, solver)
            x = solve(matrix, b, w, solver)  # anew, as a function of (b, w): that of the way forward is a constant here
            return *trees.leaves(v), *trees.leaves(_vjp_of_floats(lambda w: matrix(w, x), w, trees.scale(-1.0, v)))

        return trees.leaves(x), backward

    return trees.like(right, solution(*trees.leaves(right), *trees.leaves(given)))


def _vjp_of_floats(fn, x, cotangent):
    """:func:`vjp`, with zeros for leaves that are whole numbers."""
    leaves = trees.leaves(x)
    is_float = [leaf.dtype.is_floating for leaf in leaves]

    def of_floats(floats):
        given = iter(floats)
        return fn(trees.like(x, [next(given) if f else leaf for f, leaf in zip(is_float, leaves, strict=True)]))

    grads = iter(vjp(of_floats, [leaf for f, leaf in zip(is_float, leaves, strict=True) if f], cotangent))
    return trees.like(x, [next(grads) if f else tf.zeros_like(leaf) for f, leaf in zip(is_float, leaves, strict=True)])


def python_loop(body: Callable, state: Any, num_steps: int) -> Any:
    """``state = body(state)``, ``num_steps`` times, each step a copy in the graph: fastest to run, slow to compile."""
    for _ in range(num_steps):
        state = body(state)
    return state


def while_loop(body: Callable, state: Any, num_steps: Any) -> Any:
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


def recomputed(every: int = 10) -> Callable:
    """A loop that keeps every ``every``-th state only, and computes the steps between again when it is differentiated.

    Memory for ``n`` steps falls from ``n`` to ``n/every + every`` steps' worth, for one more forward pass (Chen et al.
    2016). All that is to be differentiated must be *in* ``state``: what ``body`` captures counts as a constant. Raises
    ``ValueError`` where ``every`` is not a whole number above 0.
    """
    every = checks.whole("every", every)

    def loop(body, state, num_steps):
        whole, rest = divmod(num_steps, every)
        segment = functools.partial(while_loop, body, num_steps=every)
        remainder = functools.partial(while_loop, body, num_steps=rest)

        @tf.custom_gradient
        def run(*leaves):
            kept, last = _keeping(segment, trees.like(state, leaves), whole)

            def backward(*cotangents):
                if rest:  # without, the graph is half as large
                    cotangents = _through_segment(remainder, last, cotangents)
                return tf.while_loop(
                    lambda i, *_: i >= 0,
                    lambda i, *cotangents: (
                        i - 1, *_through_segment(segment, trees.map(lambda x: x[i], kept), cotangents),
                    ),
                    (tf.constant(whole - 1), *cotangents),
                    parallel_iterations=1,  # or segments would be played again ahead of time, and held all at once
                )[1:]  # fmt: skip

            return trees.leaves(remainder(last) if rest else last), backward

        return trees.like(state, run(*trees.leaves(state)))

    return loop


def _keeping(segment, state, count):
    """The states before each of ``count`` segments, stacked, and the state after them."""
    leaves = trees.leaves(state)
    arrays = [tf.TensorArray(x.dtype, count, element_shape=x.shape) for x in leaves]

    def step(i, arrays, leaves):
        arrays = [array.write(i, x) for array, x in zip(arrays, leaves, strict=True)]
        return i + 1, arrays, trees.leaves(segment(trees.like(state, leaves)))

    _, arrays, leaves = tf.while_loop(lambda i, *_: i < count, step, (tf.constant(0), arrays, leaves))
    return trees.like(state, [array.stack() for array in arrays]), trees.like(state, leaves)


def _through_segment(segment, state, cotangents):
    """The cotangents of ``state``'s leaves from those after ``segment``; those of whole numbers are handed through."""
    is_float = [x.dtype.is_floating for x in trees.leaves(state)]

    def floats_after(state):
        return [x for f, x in zip(is_float, trees.leaves(segment(state)), strict=True) if f]

    outer = [c for f, c in zip(is_float, cotangents, strict=True) if f]
    grads = trees.leaves(_vjp_of_floats(floats_after, state, outer))
    return [g if f else c for f, g, c in zip(is_float, grads, cotangents, strict=True)]


def unroll(body: Callable, state: Any, num_steps: int) -> Any:
    """Repeat ``body`` so that the result can be differentiated with respect to ``state``.

    A Python loop up to 8 steps and a while loop beyond, where compiling would take longer than it saves. Replicas have
    Python loops only: they cannot meet within a while loop.
    """
    return (python_loop if num_steps <= 8 or replicas.count() > 1 else while_loop)(body, state, num_steps)


def without_gradient(loop: Callable) -> Callable:
    """``loop``, marked (``carries_gradient = False``) so that who differentiates a look-ahead takes its result as
    constant.

    The mark, and not ``tf.stop_gradient``: that would hide the loop from the derivatives *around* as well, from
    eigenvalues of the update map and from meta-gradients. The loop is run outside the inner derivative instead.
    """

    def repeat(body, state, num_steps):
        return loop(body, state, num_steps)

    marked: Any = repeat
    marked.carries_gradient = False
    return marked
