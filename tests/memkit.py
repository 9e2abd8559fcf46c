"""
memkit.py: what is in the memory of a server's processes, for tests that look
for what must not be there.  Needs root.
"""
import pathlib
import re


def role_of(pid):
    name = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
    name = name.decode()
    return name.split(": ")[1] if ": " in name else "supervisor"


def memory(pid, as_core):
    """What of a process can be read: as a core would (the kernel's rules:
    coredump_filter, pages marked not to be dumped), or all that root can."""
    kinds = int(pathlib.Path(f"/proc/{pid}/coredump_filter").read_text(), 16)
    out, area, zero = [], None, bytes(4096)
    with open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in open(f"/proc/{pid}/smaps"):
            m = re.match(r"(\w+)-(\w+) (....) \w+ \S+ (\d+) *(.*)", line)
            if m:
                area = m
                continue
            if not line.startswith("VmFlags:") or area[3][0] != "r":
                continue
            if area[5].startswith(("[vvar", "[vsyscall")):
                continue
            mapped, shared = area[4] != "0", area[3][3] == "s"
            bit = 1 << (2 * mapped + shared)
            if mapped and "w" not in area[3]:
                continue  # programs and libraries, as they are on the disk
            if as_core and (kinds & bit == 0 or "dd" in line or "io" in line):
                continue
            try:
                mem.seek(int(area[1], 16))
                b = mem.read(int(area[2], 16) - int(area[1], 16))
            except OSError:  # secret pages
                continue
            # most of it was never written to
            out.extend(b[i:i + 4096] for i in range(0, len(b), 4096)
                       if b[i:i + 4096] != zero)
    return b"".join(out)
