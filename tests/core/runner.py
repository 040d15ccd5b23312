"""Run the tests of the core on this interpreter: `micropython tests/core/runner.py [test_kernel ...]`.

Here: finding the test files, and a stand-in for `unittest` on MicroPython, which has none. Not here: any test; under
CPython pytest collects the same files. Exit status 1 if a test fails or if there is none.
"""

import os
import sys

HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."


class TestCase:
    """The part of unittest.TestCase that the core's tests use."""

    def setUp(self):
        pass

    def tearDown(self):
        pass

    def fail(self, msg=None):
        raise AssertionError(msg)

    def assertEqual(self, first, second, msg=None):
        assert first == second, "%r != %r %s" % (first, second, msg or "")

    def assertTrue(self, value, msg=None):
        assert value, msg or "%r is not true" % (value,)

    def assertFalse(self, value, msg=None):
        assert not value, msg or "%r is not false" % (value,)

    def assertIn(self, member, container, msg=None):
        assert member in container, "%r not in %r %s" % (member, container, msg or "")

    def assertIsNone(self, value, msg=None):
        assert value is None, "%r is not None %s" % (value, msg or "")

    def assertLess(self, first, second, msg=None):
        assert first < second, "%r is not less than %r %s" % (first, second, msg or "")

    def assertLessEqual(self, first, second, msg=None):
        assert first <= second, "%r is greater than %r %s" % (first, second, msg or "")

    def assertGreater(self, first, second, msg=None):
        assert first > second, "%r is not greater than %r %s" % (first, second, msg or "")

    def assertRaises(self, expected, function, *args):
        try:
            function(*args)
        except expected:
            return
        raise AssertionError("%s was not raised" % expected.__name__)


def find_modules() -> "list[str]":
    """Return the names of all test modules beside this file, in order."""
    return sorted(name[:-3] for name in os.listdir(HERE) if name.startswith("test_") and name.endswith(".py"))


def run_modules(names: "list[str]") -> "tuple[int, int]":
    """Run these test modules. Return (number of tests, number of failed tests)."""
    count = failed = 0
    for name in names:
        module = __import__(name)
        for item in sorted(dir(module)):
            case = getattr(module, item)
            if not (isinstance(case, type) and issubclass(case, TestCase)):
                continue
            for method in sorted(dir(case)):
                if not method.startswith("test"):
                    continue
                test = case()
                count += 1
                try:
                    test.setUp()
                    getattr(test, method)()
                    test.tearDown()
                except Exception as error:
                    failed += 1
                    print("FAILED %s.%s.%s" % (name, item, method))
                    sys.print_exception(error)
    return count, failed


if __name__ == "__main__":
    sys.path[:0] = [HERE, HERE + "/..", HERE + "/../../firmware"]

    class unittest:
        TestCase = TestCase

    sys.modules["unittest"] = unittest
    count, failed = run_modules(sys.argv[1:] or find_modules())
    print("%d passed, %d failed" % (count - failed, failed))
    sys.exit(1 if failed or not count else 0)
