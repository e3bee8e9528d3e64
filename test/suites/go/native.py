"""native.py ROOT.tar FOLDER PROGRAM ARGUMENT…: a program on this Linux, in the root file system that the guest has.

Called by sides.py as the first process of namespaces of its own (mounts, network, processes, host name).  The
environment it is given is the program's.
"""
import ctypes
import os
import resource
import signal
import subprocess
import sys
import tempfile

NODES = ("null", "zero", "full", "random", "urandom", "tty")
LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
         "ptmx": "pts/ptmx"}
PR_SET_PDEATHSIG, SIGKILL = 1, 9


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


def make_root(tar):
    root = tempfile.mkdtemp(prefix="root-", dir=os.path.dirname(tar))  # the caller removes that folder
    mount("-t", "tmpfs", "-o", "mode=755,size=4g", "root", root)
    subprocess.run(["tar", "-x", "-p", "-f", tar, "-C", root], check=True)
    mount("-t", "tmpfs", "-o", "mode=755", "dev", f"{root}/dev")
    for node in NODES:
        open(f"{root}/dev/{node}", "w", encoding="ascii").close()
        mount("--bind", f"/dev/{node}", f"{root}/dev/{node}")
    for folder in ("pts", "shm"):
        os.mkdir(f"{root}/dev/{folder}")
    mount("-t", "devpts", "-o", "newinstance,ptmxmode=0666", "devpts", f"{root}/dev/pts")
    mount("-t", "tmpfs", "-o", "mode=1777", "shm", f"{root}/dev/shm")
    for name, target in LINKS.items():
        os.symlink(target, f"{root}/dev/{name}")
    mount("-t", "proc", "proc", f"{root}/proc")
    mount("-t", "sysfs", "-o", "ro", "sysfs", f"{root}/sys")
    return root


def main():
    tar, folder, *command = sys.argv[1:]
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["hostname", "yolk"], check=True)
    root = make_root(tar)
    # Not the first process of its namespace: signals to that one are special.
    child = os.fork()
    if not child:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, SIGKILL)
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_DFL)  # whoever started us may ignore some; Python ignores SIGPIPE
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 4096))
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.RLIM_INFINITY))
        os.umask(0o22)
        os.chroot(root)
        os.chdir(folder)
        os.environ.pop("LC_CTYPE", None)  # Python's own
        os.execve(command[0], command, dict(os.environ))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    sys.exit(status if status >= 0 else 128 - status)


if __name__ == "__main__":
    main()
