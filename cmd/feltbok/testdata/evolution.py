"""Lets the calendar of GNOME (evolution-data-server) take what came by mail, and says what it has then.

Reads one request a line, as JSON, and answers each with one line. What REQUEST and CANCEL do is decided by the program.
"""
import json
import sys

import gi

gi.require_version("ECal", "2.0")
gi.require_version("EDataServer", "1.2")
gi.require_version("ICalGLib", "3.0")
from gi.repository import ECal, EDataServer, ICalGLib

AT_ONCE = 0xFFFFFFFF  # do not wait for a network, which a calendar on this machine has none of

registry = EDataServer.SourceRegistry.new_sync(None)
calendars = {}


def calendar(name):
    if name not in calendars:
        source = registry.ref_source(name)
        calendars[name] = ECal.Client.connect_sync(source, ECal.ClientSourceType.EVENTS, AT_ONCE, None)
    return calendars[name]


def answer(ask):
    mine = calendar(ask["Calendar"])
    if ask["Object"]:
        mine.receive_objects_sync(ICalGLib.Component.new_from_string(ask["Object"]), ECal.OperationFlags.NONE, None)
        return "taken"
    span = '(occur-in-time-range? (make-time "%s") (make-time "%s"))' % (ask["From"], ask["To"])
    return len(mine.get_object_list_sync(span, None)[1])


for line in sys.stdin:
    try:
        print(json.dumps(answer(json.loads(line))), flush=True)
    except Exception as e:
        print(json.dumps("refused: %s" % e), flush=True)
