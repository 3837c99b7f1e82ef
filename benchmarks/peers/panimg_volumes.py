"""What panimg takes for a folder: `panimg_volumes.py FOLDER TARGET ROUNDS`, run by the Python that has it."""

import json
import shutil
import sys
import time
from pathlib import Path

from panimg import convert

folder, target, rounds = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
times = []
for _ in range(rounds + 1):  # the first one warms it up
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    began = time.process_time()
    found = convert(input_directory=folder, output_directory=target, post_processors=[])
    times.append(time.process_time() - began)
(made,) = found.new_image_files
print(json.dumps({"cpu": min(times[1:]), "file": str(made.file)}))
