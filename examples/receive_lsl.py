"""Prints the emotions that Affectscope streams over the Lab Streaming Layer.

python examples/receive_lsl.py
"""

import pylsl

NAME = "Affectscope"


def main() -> None:
    print("waiting for the streams", flush=True)
    found = [pylsl.resolve_byprop("name", f"{NAME} {kind}")[0] for kind in ("emotions", "markers")]
    emotions, markers = (pylsl.StreamInlet(info) for info in found)
    channel = emotions.info().desc().child("channels").first_child()
    labels = []
    while not channel.empty():
        labels.append(channel.child_value("label"))
        channel = channel.next_sibling()
    markers.open_stream()
    while True:
        # the time is that of the capture, on the clock of this computer
        values, time = emotions.pull_sample()
        time += emotions.time_correction()
        shown = dict(zip(labels, values, strict=True))
        best = max(labels[:7], key=lambda name: shown[name])
        print(
            f"{time:.3f} {best} {shown[best]:.2f} uncertainty {shown['uncertainty']:.2f}",
            flush=True,
        )
        marker, time = markers.pull_sample(timeout=0.0)
        if marker is not None:
            print(f"{time + markers.time_correction():.3f} marker {marker[0]}", flush=True)


if __name__ == "__main__":
    main()
