"""What the face landmarker runs on is read from its own log."""

from collections.abc import Callable
from pathlib import Path

import pytest

from extractors.face_device import face_device, sign

CPU_LOG = """\
W0000 00:00:1795 1533 face_landmarker_graph.cc:181] Sets FaceBlendshapesGraph to xnnpack
INFO: Created TensorFlow Lite XNNPACK delegate for CPU.
W0000 00:00:1795 1538 inference_feedback_manager.cc:121] Feedback manager requires a model
"""
GPU_LOG = """\
I0000 00:00:1795 1546 gl_context.cc:408] GL version: 3.2 (ES 3.2), renderer: NVIDIA H100
INFO: Created TensorFlow Lite XNNPACK delegate for CPU.
"""


@pytest.mark.parametrize(
    ("log", "device", "told"),
    [
        (CPU_LOG, "cpu", "Created TensorFlow Lite XNNPACK delegate for CPU."),
        (GPU_LOG, "gpu", "renderer: NVIDIA H100"),
        (CPU_LOG, "gpu", ""),
        ("", "cpu", ""),
    ],
)
def test_the_log_tells(log: str, device: str, told: str) -> None:
    assert sign(log, device) == told


def test_on_the_cpu_mediapipe_says_which_delegate_it_made(models: Callable[[str], Path]) -> None:
    said = face_device(models("face-landmarker"), "cpu")
    assert said.startswith("the face landmarker opened on the CPU; MediaPipe cannot be asked")
    assert said.endswith("its log says: Created TensorFlow Lite XNNPACK delegate for CPU.")


def test_a_model_that_does_not_open_is_said(tmp_path: Path) -> None:
    said = face_device(tmp_path / "none.task", "cpu")
    assert said.startswith("the face landmarker does not run on the CPU: FileNotFoundError")
    assert "\n" not in said
