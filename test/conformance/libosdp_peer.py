"""libosdp as a peer: some PDs on one line, or an ACU of some PDs, on a pseudo-terminal or behind a TCP port.

    libosdp_peer.py pd|acu PTY_PATH|tcp CONFIG_JSON

The configuration is a list of devices. Requests come in on stdin and everything that happens goes out on stdout, one
JSON object a line, each with the index of its device; bytes are {"hex": "..."} in both directions. The field names of
commands and events are those of the libosdp binding.
"""

import json
import os
import select
import socket
import sys
import termios
import time
import tty

import osdp
import osdp_sys


ANSWER_WITHIN_S = 0.05


class Line(osdp.Channel):
    """A file descriptor; while nothing is connected it is a line on which nobody answers."""

    def __init__(self):
        super().__init__()
        self.id = 1
        self.descriptor = None
        self.stubs = []
        self.written_at = 0.0

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
        self.written_at = time.monotonic()
        if self.descriptor is None:
            return len(data)
        try:
            return os.write(self.descriptor, data)
        except OSError:
            return 0

    def flush(self):
        # libosdp also flushes after it has sent, when the answer may be there already: that must not be lost.
        if time.monotonic() - self.written_at > ANSWER_WITHIN_S:
            while self.read(4096):
                pass

    def distribute(self):
        data = self.read(4096)
        for stub in self.stubs:
            stub.heard += data


class Stub(osdp.Channel):
    """Where one PD of several hangs on the line: it hears the ACU and all other PDs.

    A pseudo-terminal delivers frames in bunches, a line one after the other. libosdp drops what it has received behind
    a frame that is not for it, so frames are handed over singly, as a line at its pace does.
    """

    def __init__(self, line):
        super().__init__()
        self.line = line
        self.heard = b""
        line.stubs.append(self)

    def read(self, max_bytes):
        start = self.heard.find(b"\x53")
        header = self.heard[start : start + 4]
        size = len(self.heard)
        if start >= 0 and len(header) == 4:
            size = start + max(header[2] + 256 * header[3], 1)
        size = min(size, max_bytes)
        data, self.heard = self.heard[:size], self.heard[size:]
        return data

    def write(self, data):
        for stub in self.line.stubs:
            if stub is not self:
                stub.heard += data
        return self.line.write(data)

    def flush(self):
        self.heard = b""


def tell(**event):
    print(json.dumps(event, default=lambda value: {"hex": bytes(value).hex()}), flush=True)


def from_json(value):
    return bytes.fromhex(value["hex"]) if set(value) == {"hex"} else value


def open_pty(path):
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(descriptor)
    termios.tcflush(descriptor, termios.TCIOFLUSH)
    return descriptor


def pd_info(device, channel):
    return osdp.PDInfo(device["address"], channel, scbk=device["scbk"], flags=device["flags"]).get()


class File:
    """What libosdp asks of whoever keeps files: a source of bytes, or a place for them."""

    def __init__(self, index, content=b""):
        self.index = index
        self.content = bytearray(content)

    def operations(self):
        return {"open": self.open, "read": self.read, "write": self.write, "close": self.close}

    def open(self, _, size):
        if size == 0:
            return len(self.content)
        self.content = bytearray()
        return size

    def read(self, size, offset):
        return bytes(self.content[offset : offset + size])

    def write(self, data, offset):
        self.content[offset : offset + len(data)] = data
        return len(data)

    def close(self, number):
        tell(device=self.index, file={"number": number, "content": bytes(self.content)})
        return 0


class Pd:
    """One PD with a memory: a key, an address and files survive a reset, as those of a device do."""

    def __init__(self, index, device, line):
        self.index = index
        self.device = device
        self.stub = Stub(line)
        self.reset()

    def reset(self):
        self.pd = None
        self.stub.flush()
        capabilities = osdp.PDCapabilities([tuple(entry) for entry in self.device["capabilities"]])
        self.pd = osdp_sys.PeripheralDevice(pd_info(self.device, self.stub), capabilities=capabilities.get())
        self.pd.set_command_callback(self.on_command)
        self.file = File(self.index)
        self.pd.register_file_ops(0, self.file.operations())

    def on_command(self, command):
        tell(device=self.index, command=command)
        if command["command"] == osdp.Command.Keyset:
            self.device["scbk"] = bytes(command["data"])
            self.device["flags"] = [flag for flag in self.device["flags"] if flag != osdp.LibFlag.InstallMode]
        if command["command"] == osdp.Command.ComsetDone:
            self.device["address"] = command["address"]
        answer = self.device.get("answers", {}).get(str(command["command"]))
        return (0, None) if answer is None else (answer["code"], answer["record"])

    def refresh(self):
        self.pd.refresh()
        while self.stub.heard:
            self.pd.refresh()

    def session(self):
        return {"online": self.pd.is_online(), "secure": self.pd.is_sc_active()}

    def request(self, message):
        if message["do"] == "reset":
            self.reset()
            return True
        if message["do"] == "submit":
            return self.pd.submit_event(message["record"])
        raise ValueError(message["do"])


class AcuOfPd:
    """What an ACU has of one of its PDs."""

    def __init__(self, index, acu):
        self.index = index
        self.acu = acu
        self.restarting = False

    def refresh(self):
        if self.index == 0:
            self.acu.refresh()
        # A PD can be enabled once it has come to rest.
        if self.restarting and self.acu.enable_pd(self.index):
            self.restarting = False

    def session(self):
        bit = 1 << self.index
        return {"online": bool(self.acu.status() & bit), "secure": bool(self.acu.sc_status() & bit)}

    def request(self, message):
        if message["do"] == "submit":
            return self.acu.submit_command(self.index, message["record"])
        if message["do"] == "sendFile":
            file = File(self.index, message["content"])
            registered = self.acu.register_file_ops(self.index, file.operations())
            record = {"command": osdp.Command.FileTransfer, "id": message["number"], "flags": 0}
            return registered and self.acu.submit_command(self.index, record)
        if message["do"] == "restart":
            # libosdp would go on with a file in the middle, which its PD may have forgotten; new operations end it.
            self.acu.register_file_ops(self.index, File(self.index).operations())
            self.restarting = True
            return self.acu.disable_pd(self.index)
        if message["do"] == "identity":
            tell(device=self.index, identity=self.acu.get_pd_id(self.index))
            return True
        raise ValueError(message["do"])


def make_acu(devices, line):
    acu = osdp_sys.ControlPanel([pd_info(device, line) for device in devices])

    def on_event(index, event):
        tell(device=index, event=event)
        return 0

    acu.set_event_callback(on_event)
    acu.set_command_completion_callback(lambda index, command, status: tell(device=index, done=command, status=status))
    return [AcuOfPd(index, acu) for index in range(len(devices))]


def main():
    role, where, config = sys.argv[1], sys.argv[2], json.loads(sys.argv[3], object_hook=from_json)
    osdp_sys.set_loglevel(osdp.LogLevel.Critical)
    line, listener = Line(), None
    if where == "tcp":
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
    else:
        line.descriptor = open_pty(where)
    if role == "pd":
        parties = [Pd(index, device, line) for index, device in enumerate(config)]
    else:
        parties = make_acu(config, line)
    tell(ready=True, port=listener.getsockname()[1] if listener else None)

    connection, sessions, pending = None, {}, b""
    os.set_blocking(0, False)
    while True:
        for party in parties:
            party.refresh()
        for index, party in enumerate(parties):
            session = party.session()
            if session != sessions.get(index):
                sessions[index] = session
                tell(device=index, session=session)

        watched = [0] + ([listener] if listener else []) + ([line.descriptor] if line.descriptor is not None else [])
        readable, _, _ = select.select(watched, [], [], 0.002)
        if listener in readable:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setblocking(False)
            line.descriptor = connection.fileno()
        if role == "pd" and line.descriptor in readable:
            line.distribute()
        if 0 in readable:
            data = os.read(0, 65536)
            if data == b"":
                return
            pending += data
            *requests, pending = pending.split(b"\n")
            for request in requests:
                message = json.loads(request, object_hook=from_json)
                tell(taken=bool(parties[message["device"]].request(message)))


if __name__ == "__main__":
    main()
