"""Makes `assets/sample/sample.mp4` and its `timeline.json`: `python -m scripts.sample_clip`.

The portrait is Eileen Collins' official one (NASA, public domain), as scikit-image carries it. Its
own face landmarks span a mesh that is warped so that she speaks, blinks, smiles and is surprised at
known seconds. The voice is synthesised with flite's free `slt` voice.
"""
