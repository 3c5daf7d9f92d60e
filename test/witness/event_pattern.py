"""Answers one line of JSON, [pattern, event], with one line: whether moto matches it, or the name of the error."""

import json
import sys

from moto.events.models import EventPattern


def main() -> None:
    for line in sys.stdin:
        pattern, event = json.loads(line)
        try:
            answer = EventPattern.load(json.dumps(pattern)).matches_event(event)
        except Exception as error:  # What moto cannot do is an answer too.
            answer = type(error).__name__
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
