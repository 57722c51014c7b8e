"""The ACU of osdp-python (PyPI `osdp`) as a peer, on a pseudo-terminal or behind a TCP port.

    osdp_python_peer.py PTY_PATH|tcp CONFIG_JSON

Requests come in on stdin, answers and everything that happens go out on stdout, one JSON object a line; bytes are
hexadecimal.
"""

import json
import logging
import os
import select
import socket
import sys
import termios
import tty
from enum import Enum
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / ".venv" / "osdp-python"))

import osdp  # noqa: E402

BAUD_RATE = 115_200
READ_TIMEOUT_S = 0.5


class Line(osdp.OsdpConnection):
    """A file descriptor, once somebody has connected."""

    def __init__(self, where):
        self.where = where
        self.listener = socket.create_server(("127.0.0.1", 0)) if where == "tcp" else None
        self.connection = None
        self.descriptor = None

    @property
    def baud_rate(self):
        return BAUD_RATE

    @property
    def is_open(self):
        return self.descriptor is not None

    def open(self):
        if self.listener is None:
            self.descriptor = os.open(self.where, os.O_RDWR | os.O_NOCTTY)
            tty.setraw(self.descriptor)
            termios.tcflush(self.descriptor, termios.TCIOFLUSH)
        else:
            if self.connection is None:
                self.connection, _ = self.listener.accept()
                self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.descriptor = self.connection.fileno()

    def close(self):
        # osdp-python closes its line whenever an answer is missing; the line itself is still there.
        if self.listener is None and self.descriptor is not None:
            os.close(self.descriptor)
        self.descriptor = None

    def write(self, data):
        os.write(self.descriptor, data)

    def read(self, size=1):
        readable, _, _ = select.select([self.descriptor], [], [], READ_TIMEOUT_S)
        return os.read(self.descriptor, size) if readable else b""


def tell(**event):
    print(json.dumps(event, default=str), flush=True)


class Acu(osdp.ControlPanel):
    """Tells what its PD reports by itself."""

    def on_raw_card_data_reply_received(self, address, card):
        tell(card={"reader": card.reader_number, "bitCount": card.bit_count, "data": card.data.hex()})

    def on_keypad_data_reply_received(self, address, keypad):
        tell(keys=keypad.data.hex())


class PermanentSet(Enum):
    """PermanentReaderControlCode.SetPermanentState is 2 in osdp-python and 1 in the standard."""

    SET = 1


def steady_light(color):
    black, nothing = osdp.LedColor.Black, osdp.TemporaryReaderControlCode.Nop
    control = osdp.ReaderLedControl(
        0, 0, nothing, 0, 0, black, black, 0, PermanentSet.SET, 1, 0, osdp.LedColor(color), black
    )
    return osdp.ReaderLedControls([control])


def ask(acu, bus, address, message):
    kind = message["do"]
    if kind == "id":
        identity = acu.id_report(bus, address)
        return {"vendor": identity.vendor_code.hex(), "model": identity.model_number, "serial": identity.serial_number}
    if kind == "capabilities":
        return [[c.function.value, c.compliance, c.number_of] for c in acu.device_capabilities(bus, address).capabilities]
    if kind == "inputs":
        return list(acu.input_status(bus, address).statuses)
    if kind == "outputs":
        return list(acu.output_status(bus, address).statuses)
    if kind == "local":
        local = acu.local_status(bus, address)
        return {"tampered": local.tamper, "powerFailed": local.power_failure}
    if kind == "output":
        code = osdp.OutputControlCode(message["code"])
        controls = osdp.OutputControls([osdp.OutputControl(message["number"], code, message["ticks"])])
        return acu.output_control(bus, address, controls)
    if kind == "led":
        return acu.reader_led_control(bus, address, steady_light(message["color"]))
    if kind == "buzzer":
        control = osdp.ReaderBuzzerControl(0, osdp.ToneCode.DefaultTone, 2, 1, 1)
        return acu.send_command(bus, osdp.ReaderBuzzerControlCommand(address, control)).type.name
    if kind == "manufacturer":
        vendor_and_data = bytes.fromhex(message["vendor"] + message["data"])
        reply = acu.send_command(bus, osdp.ManufacturerSpecificCommand(address, vendor_and_data))
        return reply.extract_reply_data.hex()
    raise ValueError(kind)


def main():
    where, config = sys.argv[1], json.loads(sys.argv[2])
    master_key = bytes.fromhex(config["masterKey"]) if "masterKey" in config else None
    logging.getLogger("osdp").setLevel(logging.CRITICAL)
    line = Line(where)
    acu = Acu(master_key)
    bus = acu.start_connection(line)
    address = config["address"]
    acu.add_device(bus, address, use_crc=config["crc"], use_secure_channel=config["secure"])
    tell(ready=True, port=line.listener.getsockname()[1] if line.listener else None)
    for request in sys.stdin:
        try:
            tell(answer=ask(acu, bus, address, json.loads(request)))
        except Exception as error:
            tell(answer=None, error=repr(error))
    acu.shutdown()
    os._exit(0)


if __name__ == "__main__":
    main()
