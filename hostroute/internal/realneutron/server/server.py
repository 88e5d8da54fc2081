"""Runs Neutron's API on a new sqlite file: server.py CONFIGURATION DATABASE."""
import os
import sys
import threading


def end_with_parent():
    sys.stdin.buffer.read()  # the test's end of the pipe closes with the test, however it ends
    os._exit(0)


# Neutron replaces what is imported from threading, so the thread is started before.
threading.Thread(target=end_with_parent, daemon=True).start()

import neutron.cmd.eventlet  # noqa: E402,F401 (replaces parts of the standard library)
from neutron import server  # noqa: E402
from neutron import service  # noqa: E402
from neutron.db.migration.models import head  # noqa: E402
import sqlalchemy  # noqa: E402

configuration, database = sys.argv[1:]

# Some of Neutron's migrations do not work on sqlite, so the tables are made from the models.
engine = sqlalchemy.create_engine("sqlite:///" + database)
head.get_metadata().create_all(engine)
engine.dispose()

sys.argv[1:] = ["--config-file", configuration]

# The API alone, without the workers that speak to agents: they would be processes of their own.
server.boot_server(lambda: service.serve_wsgi(service.NeutronApiService).wait())
