"""Turns on the training loop: one step by hand, and what an epoch is."""

from .answers import Turn, near

TURNS = {
    "step": Turn(
        ask="(x, y) after one simultaneous step at the rate 0.1 from (1, 2), for L_G = xy and L_D = -xy",
        check=near(
            (0.8, 2.1),
            within=1e-4,
            slips=[
                ((0.8, 2.08), "both gradients are taken at the old pair; here y saw the new x."),
                ((1.01, 2.1), "both gradients are taken at the old pair; here x saw the new y."),
                ((0.79, 2.1), "both gradients are taken at the old pair; here x saw the new y."),
                ((1.2, 1.9), "each player goes down its own loss, not up."),
                ((0.8, 1.9), "each player has its own loss: L_D falls where y grows."),
                ((0.9, 2.2), "each loss is differentiated in its own player's parameter."),
            ],
            otherwise="∂L_G/∂x = y and ∂L_D/∂y = -x, both at (1, 2).",
        ),
        right="the pair has moved away from (0, 0): the step turns, and stretches.",
        solution=(1 - 0.1 * 2, 2 + 0.1 * 1),
        wrong=(
            ((0.8, 2.08), "new x"),
            ((1.2, 1.9), "not up"),
            ((0.8, 1.9), "own loss"),
            ((2.1, 0.8), "order"),
            ((0.9, 2.2), "own player"),
            (0.8, "shape"),
        ),
    ),
    "epoch": Turn(
        ask="the number of steps in 10 epochs over 1,600 images, in batches of 64",
        check=near(
            250,
            within=1e-6,
            slips=[
                (25, "this is one epoch."),
                (10, "a step sees one batch; an epoch sees all images once."),
                (16000, "this is the number of images; a step sees 64 of them."),
            ],
            otherwise="an epoch has as many steps as there are batches in the data.",
        ),
        right="an 'epoch' that draws one batch is one step.",
        solution=10 * 1600 // 64,
        wrong=((25, "one epoch"), (10, "one batch"), (16000, "images"), (64, "batches"), ("250", "text")),
    ),
}
