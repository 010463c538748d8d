import sys
from pathlib import Path

sys.path.insert(
    0, str(Path(__file__).parent)
)  # wire_frames.py and wire_reference.py are shared by the tests of this folder
