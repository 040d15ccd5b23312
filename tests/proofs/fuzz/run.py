"""Fuzz the wire, guided by coverage: pip install -e '.[fuzz]', then python tests/proofs/fuzz/run.py -max_total_time=60

Here: the command; its arguments are libFuzzer's. It starts from the inputs of core/hostile.py. An input that fails is
left in a file; the file's name as an argument runs it again. Not here: a single input (target.py).
"""

import pathlib
import sys
import tempfile

TESTS = pathlib.Path(__file__).parents[2]
sys.path[:0] = [str(TESTS)]


def main() -> None:
    """Run the command."""
    try:
        import atheris
    except ImportError:
        sys.exit("the fuzzer needs atheris: pip install -e '.[fuzz]'")
    with atheris.instrument_imports(include=["deskonomy"]):
        from proofs.fuzz import target
    from core.hostile import CORPUS

    with tempfile.TemporaryDirectory() as folder:
        for number, (data, *_) in enumerate(CORPUS):
            (pathlib.Path(folder) / str(number)).write_bytes(b"\xffSEASIDE\n" + data)
        atheris.Setup([*sys.argv, folder], target.feed_city)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
