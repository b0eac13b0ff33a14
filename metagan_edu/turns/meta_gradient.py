"""Turns on the meta-gradient: by hand, the inner run as code, Reptile's step."""

from .answers import Turn, computes, near

END = 1 + 0.8**3  # φ^K of the first turn: s = 1, θ = 2, three steps that shrink φ - s by 1 - 0.1·2


def _inner_run(theta, s, lr, num_steps):
    """``num_steps`` steps of gradient descent on ½(φ - s)², from φ = theta."""
    phi = theta
    for _ in range(num_steps):
        phi = phi - lr * (phi - s)
    return phi


def _run(rng):
    return rng.normal(), rng.normal(), rng.uniform(0.1, 0.5), int(rng.integers(3, 6))


TURNS = {
    "by_hand": Turn(
        ask="dL/dθ at θ = 2 for ℓ_S = (φ - 1)², ℓ_Q = ½φ², η = 0.1 and K = 3",
        check=near(
            0.8**3 * END,
            slips=[
                (
                    END,
                    "this is first-order, the gradient at the end: the factors of the inner steps are missing.",
                ),
                (0.8**3, "this is dφ^K/dθ; it multiplies the slope of ℓ_Q at φ^K."),
                (0.9**3 * (1 + 0.9**3), "the second derivative of (φ - 1)² is 2, not 1."),
                (0.8**3 * (0.8**3 * 2), "the inner run goes toward 1, not toward 0."),
                (0.8**2 * (1 + 0.8**2), "this is K = 2."),
            ],
            otherwise="(1 - ηa)^K (φ^K - q), with a = 2, s = 1 and q = 0.",
        ),
        right="about half of what first-order would say.",
        solution=0.512 * 1.512,
        wrong=(
            (1.512, "factors"),
            (0.512, "multiplies"),
            (1.2604, "is 2"),
            (0.524, "toward 1"),
            (1.0496, "K = 2"),
            (2, "(φ^K - q)"),
        ),
    ),
    "inner_run": Turn(
        ask="inner_run(theta, s, lr, num_steps): φ after num_steps steps of gradient descent on ½(φ - s)², from theta",
        check=computes(
            _inner_run,
            _run,
            slips=[
                (lambda theta, s, lr, k: _inner_run(theta, s, -lr, k), "it goes up: subtract the gradient."),
                (lambda theta, s, lr, k: _inner_run(theta, s, lr, 1), "this is one step."),
                (lambda theta, s, lr, k: theta - k * lr * (theta - s), "the gradient is taken anew at each step."),
                (lambda theta, s, lr, k: _inner_run(theta, s, 2 * lr, k), "the gradient of ½(φ - s)² is φ - s."),
                (lambda theta, s, lr, k: _inner_run(theta, s, lr, k) - s, "return φ, not its distance to s."),
            ],
            otherwise="repeat φ ← φ - lr (φ - s).",
        ),
        right="s + (1 - lr)^K (theta - s), whatever theta is: it can be differentiated.",
        solution=_inner_run,
        wrong=(
            (lambda theta, s, lr, k: _inner_run(theta, s, -lr, k), "goes up"),
            (lambda theta, s, lr, k: _inner_run(theta, s, lr, 1), "one step"),
            (lambda theta, s, lr, k: theta - k * lr * (theta - s), "anew"),
            (lambda theta, s, lr, k: _inner_run(theta, s, 2 * lr, k), "gradient of"),
            (lambda theta, s, lr, k: s, "repeat"),
            (lambda theta, s, lr, k: 1 / 0, "ZeroDivisionError"),
        ),
    ),
    "reptile": Turn(
        ask="θ after one step of Reptile at the meta-rate 0.25 from (0, 0), where two runs end at (2, 0) and (0, 4)",
        check=near(
            (0.25, 0.5),
            slips=[
                ((0.5, 1.0), "take the mean over the tasks, not the sum."),
                ((1.0, 2.0), "this is where the runs end on average; θ moves there by a quarter."),
                ((0.5, 0.0), "average over both tasks."),
            ],
            otherwise="θ plus the meta-rate times the mean of (end - θ).",
        ),
        right="no outer loss was needed.",
        solution=(0.25, 0.5),
        wrong=(
            ((0.5, 1.0), "mean"),
            ((1.0, 2.0), "a quarter"),
            ((-0.25, -0.5), "sign"),
            ((0.5, 0.25), "order"),
            (0.25, "shape"),
        ),
    ),
}
