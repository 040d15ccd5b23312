"""Fuzz the wire, guided by coverage: pip install -e '.[fuzz]', then python tests/fuzz/run.py -max_total_time=60

Its words are libFuzzer's. It starts from tests/core/hostile.py; what goes wrong is left in a file, whose name runs it
again.
"""

import pathlib
import sys
import tempfile

TESTS = pathlib.Path(__file__).parents[2]
sys.path[:0] = [str(TESTS)]


def main():
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
        atheris.Setup([*sys.argv, folder], target.one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
