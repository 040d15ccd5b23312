"""Run the tests of the core on this interpreter: `micropython tests/core/runner.py [test_kernel ...]`.

Here: finding the test files, a stand-in for `unittest` where there is none (MicroPython). Exits 1 if anything fails or
if nothing was found. Under CPython pytest collects the same files itself.
"""

import os
import sys

HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."


class TestCase:
    """As much of unittest.TestCase as the core's tests use."""

    def setUp(self):
        pass

    def tearDown(self):
        pass

    def fail(self, msg=None):
        raise AssertionError(msg)

    def assertEqual(self, one, other, msg=None):
        assert one == other, "%r != %r %s" % (one, other, msg or "")

    def assertTrue(self, value, msg=None):
        assert value, msg or "%r is not true" % (value,)

    def assertFalse(self, value, msg=None):
        assert not value, msg or "%r is not false" % (value,)

    def assertIn(self, item, items, msg=None):
        assert item in items, "%r not in %r %s" % (item, items, msg or "")

    def assertIsNone(self, value, msg=None):
        assert value is None, "%r is not None %s" % (value, msg or "")

    def assertLess(self, one, other, msg=None):
        assert one < other, "%r is not less than %r %s" % (one, other, msg or "")

    def assertLessEqual(self, one, other, msg=None):
        assert one <= other, "%r is more than %r %s" % (one, other, msg or "")

    def assertGreater(self, one, other, msg=None):
        assert one > other, "%r is not more than %r %s" % (one, other, msg or "")

    def assertRaises(self, kind, function, *args):
        try:
            function(*args)
        except kind:
            return
        raise AssertionError("%s was not raised" % kind.__name__)


def find():
    """The names of all test modules beside this file, in order."""
    return sorted(name[:-3] for name in os.listdir(HERE) if name.startswith("test_") and name.endswith(".py"))


def run(names):
    """Run these test modules; returns (tests run, tests failed)."""
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
    count, failed = run(sys.argv[1:] or find())
    print("%d passed, %d failed" % (count - failed, failed))
    sys.exit(1 if failed or not count else 0)
