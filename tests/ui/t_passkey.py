#!/usr/bin/env python3
"""passkey.mjs, on a server that is called localhost."""
import pathlib
import sys
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "e2e"))
from idps import free_port  # noqa: E402
from uikit import Ui, journeys, run_rig  # noqa: E402


class Named(Ui):
    """WebAuthn knows names, not addresses."""

    def __init__(self):
        super().__init__(start=False)
        port = free_port()
        self.listen = f"127.0.0.1:{port}"
        conf = self.data / "redoubt.conf"
        conf.write_text((conf.read_text() if conf.exists() else "") +
                        "\n[server]\n"
                        f"public_url = https://localhost:{port}\n")
        self.start()
        self.url = f"https://localhost:{port}"


journeys("passkey.mjs")
run_rig(Named)
