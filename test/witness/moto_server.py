"""Serves moto on a free port of 127.0.0.1, prints the port, and ends when its standard input ends.

One request at a time: moto checks the conditions of a write and applies it without a lock, so that with its own server's
threads two writers of one item can both win. DynamoDB is the judge in these tests and must not do that.
"""

import os
import sys
import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server


def main() -> None:
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, application, threaded=False)
    print(server.port, flush=True)
    threading.Thread(target=end_with_standard_input, daemon=True).start()
    server.serve_forever()


def end_with_standard_input() -> None:
    """The parent holds the pipe, so that it closes in whatever way the parent ends."""
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
