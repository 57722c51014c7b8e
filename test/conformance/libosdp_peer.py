"""libosdp as a peer: a PD or an ACU on a pseudo-terminal or behind a TCP port.

    libosdp_peer.py pd|acu PTY_PATH|tcp CONFIG_JSON

Commands come in on stdin and everything that happens goes out on stdout, one JSON object a line; bytes are
{"hex": "..."} in both directions. The field names are those of the libosdp binding.
"""

import json
import os
import select
import socket
import sys
import termios
import tty

import osdp
import osdp_sys


class Line(osdp.Channel):
    """A file descriptor; while nothing is connected it is a line on which nobody answers."""

    def __init__(self, descriptor=None):
        super().__init__()
        self.descriptor = descriptor

    def read(self, max_bytes):
        if self.descriptor is None:
            return b""
        try:
            data = os.read(self.descriptor, max_bytes)
            if data == b"":
                self.descriptor = None
            return data
        except BlockingIOError:
            return b""
        except OSError:
            self.descriptor = None
            return b""

    def write(self, data):
        if self.descriptor is None:
            return len(data)
        try:
            return os.write(self.descriptor, data)
        except OSError:
            return 0

    def flush(self):
        pass


def tell(**event):
    print(json.dumps(event, default=lambda value: {"hex": bytes(value).hex()}), flush=True)


def from_json(value):
    return bytes.fromhex(value["hex"]) if set(value) == {"hex"} else value


def open_pty(path):
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(descriptor)
    termios.tcflush(descriptor, termios.TCIOFLUSH)
    return descriptor


def make_pd(config, line):
    info = osdp.PDInfo(config["address"], line, flags=config["flags"], scbk=config["scbk"])
    capabilities = osdp.PDCapabilities([tuple(entry) for entry in config["capabilities"]])
    pd = osdp_sys.PeripheralDevice(info.get(), capabilities=capabilities.get())

    def on_command(command):
        tell(command=command)
        return 0, None

    pd.set_command_callback(on_command)
    return pd


def make_acu(config, line):
    info = osdp.PDInfo(config["address"], line, flags=config["flags"], scbk=config["scbk"])
    acu = osdp_sys.ControlPanel([info.get()])

    def on_event(_, event):
        tell(event=event)
        return 0

    acu.set_event_callback(on_event)
    return acu


def main():
    role, where, config = sys.argv[1], sys.argv[2], json.loads(sys.argv[3], object_hook=from_json)
    osdp_sys.set_loglevel(osdp.LogLevel.Critical)
    line, listener = Line(), None
    if where == "tcp":
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
    else:
        line.descriptor = open_pty(where)
    peer = make_pd(config, line) if role == "pd" else make_acu(config, line)
    tell(ready=True, port=listener.getsockname()[1] if listener else None)

    connection, session, pending = None, None, b""
    os.set_blocking(0, False)
    while True:
        peer.refresh()
        if role == "pd":
            state = {"online": peer.is_online(), "secure": peer.is_sc_active()}
        else:
            state = {"online": bool(peer.status() & 1), "secure": bool(peer.sc_status() & 1)}
        if state != session:
            session = state
            tell(session=session)

        watched = [0] + ([listener] if listener else []) + ([line.descriptor] if line.descriptor is not None else [])
        readable, _, _ = select.select(watched, [], [], 0.002)
        if listener in readable:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setblocking(False)
            line.descriptor = connection.fileno()
        if 0 in readable:
            data = os.read(0, 65536)
            if data == b"":
                return
            pending += data
            *requests, pending = pending.split(b"\n")
            for request in requests:
                message = json.loads(request, object_hook=from_json)
                if role == "pd":
                    tell(submitted=peer.submit_event(message))
                else:
                    tell(submitted=peer.submit_command(0, message))


if __name__ == "__main__":
    main()
