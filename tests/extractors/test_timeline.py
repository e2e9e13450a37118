import dataclasses

import numpy as np
import pytest

from extractors.timeline import EDGES, Timeline
from tests.extractors.sessions import timeline


def test_parts_join_in_order_and_nothing_joins_to_nothing() -> None:
    joined = Timeline.joined([timeline(3), timeline(2, known=False, first=0.8)])
    np.testing.assert_allclose(joined.time, [0.2, 0.4, 0.6, 0.8, 1.0])
    assert joined.known.tolist() == [True] * 3 + [False] * 2
    assert np.isnan(joined.sentiment).tolist() == [False] * 3 + [True] * 2
    assert len(Timeline.joined([])) == 0
    assert len(Timeline.joined([Timeline.empty(), timeline(2)])) == 2


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Timeline)][1:])
def test_an_array_of_another_length_is_refused(field: str) -> None:
    good = timeline(3)
    with pytest.raises(ValueError, match=f"^{field} is "):
        dataclasses.replace(good, **{field: getattr(good, field)[:2]})


def test_each_ordered_pair_of_modalities_is_one_edge() -> None:
    assert len(set(EDGES)) == len(EDGES) == 6
    assert all(teacher != student for teacher, student in EDGES)
