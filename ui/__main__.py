"""Runs the chat under Streamlit with Octavo's options; `octavo serve` starts it with the address to listen on."""

from __future__ import annotations

import sys
from pathlib import Path

from streamlit.web.cli import main

from octavo.ui.theme import THEME

OPTIONS = {
    "server.enableXsrfProtection": "true",
    "server.enableCORS": "true",
    "server.fileWatcherType": "none",
    "browser.gatherUsageStats": "false",
    **THEME,
}

flags = [f"--{name}={value}" for name, value in OPTIONS.items()]
sys.argv = ["streamlit", "run", str(Path(__file__).with_name("app.py")), *flags, *sys.argv[1:]]
main()
