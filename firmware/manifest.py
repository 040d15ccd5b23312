# type: ignore
# Freezes the firmware into an image of MicroPython, put together as a deploy puts it together: boards/*/manifest.py
# includes this. It runs where MicroPython is built, in this folder, by whatever Python builds it.
import atexit
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path.cwd().parent / "host"))
from deskonomy_host.boards.deploy.shrink.bundle import as_on_board

sources = [Path("main.py"), *sorted(Path("deskonomy").rglob("*.py")), *sorted(Path("deskonomy_board").rglob("*.py"))]
folder = tempfile.mkdtemp()
atexit.register(shutil.rmtree, folder)  # by then all is compiled
for path, text in as_on_board({path.as_posix(): path.read_text(encoding="utf-8") for path in sources}).items():
    Path(folder, path).parent.mkdir(parents=True, exist_ok=True)
    Path(folder, path).write_text(text, encoding="utf-8")
module("main.py", base_path=folder, opt=3)
package("deskonomy", base_path=folder, opt=3)
package("deskonomy_board", base_path=folder, opt=3)
