"""Networks written node by node, against NumPy."""

import numpy as np
import pytest

from extractors.onnx_graph import Graph


def product_of(weight: np.ndarray, bias: np.ndarray | None = None):  # type: ignore[type-arg, no-untyped-def]
    graph = Graph("product")
    graph.output("y", graph.int8_product(graph.input("x", ["n", weight.shape[1]]), weight, bias))
    session = graph.session()
    return lambda x: session.run(None, {"x": x})[0]


def test_a_product_in_eight_bits_is_nearly_that_in_floats() -> None:
    random = np.random.default_rng(0)
    weight = random.standard_normal((300, 64)).astype(np.float32)
    bias = random.standard_normal(300).astype(np.float32)
    x = random.standard_normal((9, 64)).astype(np.float32)
    wanted = x @ weight.T + bias
    found = product_of(weight, bias)(x)
    assert np.abs(found - wanted).max() < 0.03 * wanted.std() * 4


def test_whole_numbers_up_to_127_are_exact() -> None:
    random = np.random.default_rng(1)
    weight = random.integers(-127, 128, (20, 512)).astype(np.float32)
    x = random.integers(-127, 128, (4, 512)).astype(np.float32)
    weight[:, 0] = x[:, 0] = 127  # so that all scales are 1
    assert product_of(weight)(x) == pytest.approx(x @ weight.T)


def test_a_row_does_not_depend_on_the_rows_beside_it() -> None:
    random = np.random.default_rng(2)
    product = product_of(random.standard_normal((50, 64)).astype(np.float32))
    x = random.standard_normal((5, 64)).astype(np.float32)
    x[3] *= 100
    together = product(x)
    for row in range(5):
        assert product(x[row : row + 1])[0] == pytest.approx(together[row], rel=1e-6, abs=1e-6)


def test_zeros_stay_zeros() -> None:
    assert (product_of(np.zeros((3, 4), np.float32))(np.zeros((2, 4), np.float32)) == 0).all()
