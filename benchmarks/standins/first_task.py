"""Runs the command that its arguments are, which follows a run in the cloud, and notes when its first task ran.

That is in seconds after the command began. The journal of such a run is copied to the state directory of its follower.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from cromulent_wdl.clock import SYSTEM

begun = SYSTEM.now()
status = subprocess.run(sys.argv[1:], check=False).returncode
if status == 0:
    (journal,) = Path(os.environ["XDG_STATE_HOME"], "cromulent", "cloud").glob("*/journal.jsonl")
    events = [json.loads(line) for line in journal.read_text().splitlines()]
    ran = min(event["at"] for event in events if event["event"] == "task_started")
    Path("note.json").write_text(json.dumps({"task": ran - begun}))
sys.exit(status)
