"""npmkit.py: what tests need of npm, as a package-lock.json names it."""
import fcntl
import shutil
import subprocess

NODE = shutil.which("node") or shutil.which("nodejs")


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
