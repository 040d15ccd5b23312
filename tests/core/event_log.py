"""A log for tests: it keeps what it gets, and a bug in a background task makes the test fail."""

from deskonomy.events import BUG


class EventLog:
    """A log that keeps its events; call it as log(event, text).

    Attributes:
        events: the types of events, in order.
        texts: their texts, in the same order.
    """

    def __init__(self):
        self.events = []
        self.texts = []

    def __call__(self, event, text):
        self.events.append(event)
        self.texts.append(text)

    def check(self):
        """Raise AssertionError if a bug was logged."""
        if BUG in self.events:
            raise AssertionError(self.texts[self.events.index(BUG)])
