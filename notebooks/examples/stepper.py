"""The code of the page "Play by hand": the stepper's games without its buttons.

It runs without a network, and checks what the page says.
"""

import metagan_edu as mg

# -- without buttons
model = mg.stepping.begin(mg.stepping.chosen("dirac"))
model = model.step("disc")  # D moves, and G is held
print(mg.stepping.sentence(model))
model = model.back()  # where it was before
# -- end without buttons

assert model.now.step == 0


# -- circle and spiral
def distance(steps, **choices):
    """How far from the equilibrium the two numbers are after so many steps."""
    model = mg.stepping.begin(mg.stepping.chosen(**choices))
    for _ in range(steps // 100):
        model = model.step(count=100)
    return model.now.look.measure[0]


circle = distance(500)
spiral = distance(500, r1=0.1)
outward = distance(500, technique="simultaneous")
print(f"{circle:.2f} {spiral:.2f} {outward:.2f}")  # 1.40 0.12 2.18
# -- end circle and spiral

assert 1.37 < circle < 1.43 and spiral < 0.13 and outward > 2.1
assert distance(500, technique="look-ahead") < 0.01
assert 1.3 < distance(500, data="bilinear") < 1.5 and distance(500, data="bilinear", technique="optimistic") < 0.12

# -- as train does
own = model.setting
result = mg.train(own.game, own.rule, own.batches, num_steps=3, seed=0, progress=False)
same = model.step(count=3).now.state.players == result.players
# -- end as train does

assert same
