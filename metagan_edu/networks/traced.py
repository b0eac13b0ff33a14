"""What can be seen in the graph of a model: where it is wrong to second order, and what it ends in.

Keras and TensorFlow are right to first order throughout. To second order some operations count as constants without a
word: those that stop a gradient inside, and gradients that TensorFlow registers as not differentiable.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from concurrent import futures
from typing import Any

import keras
import tensorflow as tf

from .. import autodiff, trees

# Operations whose derivative is not 0, but that TensorFlow registers as not differentiable: it counts as 0 in silence.
SILENT = frozenset((
    "DrawBoundingBoxes", "ExtractGlimpse", "FakeQuantWithMinMaxArgsGradient", "FakeQuantWithMinMaxVarsGradient",
    "FakeQuantWithMinMaxVarsPerChannelGradient", "HSVToRGB", "LinSpace", "ParameterizedTruncatedNormal", "PyFunc",
    "PyFuncStateless", "ResizeBilinearGrad", "SparseAddGrad", "SparseConcat", "TensorListConcatLists",
    "TensorListPushBackBatch", "XlaVariadicReduce",
))  # fmt: skip
# Those of which it has none, or one that is not that of the interpolation (seen: an adjoint test, off by a tenth).
NO_DERIVATIVE = SILENT | {
    "BlockLSTMGrad", "BlockLSTMGradV2", "CropAndResizeGradBoxes", "CropAndResizeGradImage", "FractionalAvgPoolGrad",
    "FractionalMaxPoolGrad", "ImageProjectiveTransformV2", "ImageProjectiveTransformV3", "LRNGrad",
    "MaxPoolGradWithArgmax", "ResizeBicubicGrad", "ResizeNearestNeighborGrad", "ScaleAndTranslateGrad", "SoftsignGrad",
    "SparseSegmentMeanGrad", "SparseSegmentSqrtNGrad", "SparseSegmentSumGrad",
}  # fmt: skip
_RESIZE = ", such as UpSampling2D (nearest), average pooling or a strided convolution"
INSTEAD = {
    "ResizeBilinearGrad": _RESIZE, "ResizeBicubicGrad": _RESIZE, "ResizeNearestNeighborGrad": _RESIZE,
    "ScaleAndTranslateGrad": _RESIZE, "SoftsignGrad": ", such as the activation tanh",
}  # fmt: skip
BOUNDED = {
    "Sigmoid": "a sigmoid", "Softmax": "a softmax", "Tanh": "a tanh", "Softsign": "a softsign", "Erf": "an erf",
    "Relu": "a ReLU", "Relu6": "a ReLU", "ClipByValue": "a clip", "Softplus": "a softplus",
    "LogSoftmax": "a logarithm of a softmax", "Exp": "an exponential",
}  # fmt: skip
PASSES_ON = {
    "Identity",
    "IdentityN",
    "Cast",
    "Reshape",
    "Squeeze",
    "ExpandDims",
    "EnsureShape",
    "Snapshot",
    "Transpose",
}
SHIFTS = {"Mul", "RealDiv", "Add", "AddV2", "Sub", "BiasAdd"}  # by a constant: what is bounded stays so
OURS = {
    "BatchNormalization": "BatchNorm", "LayerNormalization": "LayerNorm", "GroupNormalization": "GroupNorm",
}  # fmt: skip


def _sizes(shape: Iterable, rows: int) -> list:
    return [rows if size is None else size for size in shape]


@tf.autograph.experimental.do_not_convert
def graph_of(fn: Callable, *like: Any) -> tuple[tf.Graph, list, Any]:
    """The graph of ``fn`` on arguments like these trees of tensors or specs, its inputs, and the traced function.

    It is traced in a thread of its own, where no tape, graph, strategy or scope of the caller is seen.
    """
    specs = [trees.map(lambda x: tf.TensorSpec(x.shape, x.dtype), tree) for tree in like]
    with futures.ThreadPoolExecutor(1) as thread:
        traced = thread.submit(tf.function(fn, autograph=False).get_concrete_function, *specs).result()
    return traced.graph, list(traced.inputs), traced


def of_model(model: keras.Model, x: Any, training: bool, fn: Callable) -> tuple:
    """:func:`graph_of` ``fn(call, params, x)``, with ``call(params, x) -> outputs`` the model's."""
    specs = [tuple(tf.TensorSpec(v.shape, v.dtype) for v in of) for of in
             (model.trainable_variables, model.non_trainable_variables)]  # fmt: skip

    def traced(params, state, x):
        def call(params, x):
            return called(model, params, state, x, training)[0]

        return fn(call, params, x)

    return graph_of(traced, *specs, x)


def called(model: keras.Model, params: Any, state: Any, x: Any, training: bool) -> tuple[Any, tuple]:
    """``(outputs, non-trainable values)`` of a call of ``model`` with these values of its variables."""
    x = list(x) if isinstance(x, tuple) else x  # several inputs, as Keras takes them
    if "training" in inspect.signature(model.call).parameters:
        y, new = model.stateless_call(list(params), list(state), x, training=training)
        return y, tuple(tf.convert_to_tensor(v) for v in new)
    variables = [*model.trainable_variables, *model.non_trainable_variables]
    with keras.StatelessScope(state_mapping=list(zip(variables, [*params, *state], strict=True))) as scope:
        y = told(model, x, training)
    return y, tuple(tf.convert_to_tensor(scope.get_current_value(v)) for v in model.non_trainable_variables)


def told(model: keras.Model, x: Any, training: bool) -> Any:
    """The outputs of ``model``, whose layers learn of ``training`` even where its own ``call`` does not take it.

    They learn by the context of a call that does; from one that does not, Keras 3.8 tells them nothing.
    """
    return keras.layers.Lambda(lambda x, training: model(x), autocast=False)(x, training=training)


def _forward(outputs: Iterable, inputs: Iterable) -> list:
    """The operations that lie between ``inputs`` and ``outputs``."""
    behind, queue = {}, [x.op for x in outputs]
    while queue:
        op = queue.pop()
        if op.name not in behind:
            behind[op.name] = op
            queue += [x.op for x in op.inputs]
    depends, queue = set(), [x.op for x in inputs]
    while queue:
        op = queue.pop()
        if op.name not in depends:
            depends.add(op.name)
            queue += [user for y in op.outputs for user in y.consumers()]
    return [op for name, op in behind.items() if name in depends]


def _nested(ops: Iterable, graph: tf.Graph) -> list[tuple[str, str]]:
    """``(type, name)`` of the operations in the functions that these operations call, and those call."""
    library = {f.signature.name: f for f in graph.as_graph_def().library.function}
    found, seen = [], set()
    queue = [op.node_def for op in ops]
    while queue:
        for attr in queue.pop().attr.values():
            for name in [attr.func.name, *(f.name for f in attr.list.func)]:
                if name in library and name not in seen:
                    seen.add(name)
                    found += [(node.op, node.name) for node in library[name].node_def]
                    queue += library[name].node_def
    return found


def _floats(tree: Any) -> list:
    return [x for x in trees.leaves(tree) if x.dtype.is_floating]


def wrong_to_second_order(model: keras.Model, x: Any, training: bool) -> tuple[list, list]:
    """``(unknown, stopped)``: pairs of a layer's name and an operation, of what is wrong to second order.

    ``unknown``: operations in the output and its first derivatives of which TensorFlow knows no derivative;
    ``stopped``: gradients stopped on the way from inputs and weights to the output.
    """

    def first_derivatives(call, params, x):
        def value(at):
            leaves = iter(at)
            back = trees.map(lambda t: next(leaves) if t.dtype.is_floating else t, (params, x))
            y = tf.cast(call(*back), tf.float32)
            return tf.reduce_sum(y * y), y

        (_, y), slopes = autodiff.value_and_grad(value)(_floats((params, x)))
        return y, slopes

    graph, inputs, traced = of_model(model, x, training, first_derivatives)
    y, *slopes = traced.outputs
    inputs = [x for x in inputs if x.dtype.is_floating]
    ops = _forward([y, *slopes], inputs)
    all_ops = [(op.type, op.name) for op in ops] + _nested(ops, graph)
    unknown = [(layer_of(name, model), kind) for kind, name in all_ops if kind in NO_DERIVATIVE]
    stops = [op for op in _forward([y], inputs) if op.type == "StopGradient" and not _of_a_maximum(op)]
    return list(dict.fromkeys(unknown)), list(dict.fromkeys((layer_of(op.name, model), op.type) for op in stops))


def _of_a_maximum(op: tf.Operation) -> bool:
    """Whether what is stopped is a maximum: subtracted for range, as in a log-sum-exp, it cancels and is no error."""
    while op.type in PASSES_ON | {"StopGradient", "Select", "SelectV2"}:
        varying = [x for x in op.inputs if x.dtype.is_floating and x.op.type not in ("Const", "ZerosLike", "Fill")]
        if not varying:
            return False
        op = varying[0].op
    return op.type == "Max"


def layer_of(name: str, model: keras.Model) -> str:
    """The innermost layer in whose scope an operation stands. (A scope is the layer's name and a number.)"""
    names = {layer.name for layer in model._flatten_layers()}
    parts = [re.sub(r"_\d+$", "", part) for part in reversed(name.split("/")[:-1])]
    return next((part for part in parts if part in names), model.name)


def ends_in(model: keras.Model, x: Any) -> str | None:
    """What bounds the model's output, in words, or ``None`` where nothing is seen to."""
    _, _, traced = of_model(model, x, False, lambda call, params, x: call(params, x))
    op = traced.outputs[0].op
    while op.type not in BOUNDED:
        varying = [x for x in op.inputs if x.op.type not in ("Const", "Shape", "Pack")]
        if op.type in ("Minimum", "Maximum") and len(varying) == 1:
            return f"a {op.type.lower()} with a constant in the layer {layer_of(op.name, model)!r}"
        if not (op.type in PASSES_ON or (op.type in SHIFTS and len(varying) == 1)):
            return None
        op = varying[0].op
    return f"{BOUNDED[op.type]} in the layer {layer_of(op.name, model)!r}"
