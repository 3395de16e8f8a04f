#!/usr/bin/env python3
"""Makes the Debian package and lives with it: contents, lintian, units, then a clean Debian in which a real systemd runs the station,
upgrades it while it works, stops, removes and purges it.

    sudo Tools/check_package.py [--deb FILE | --program FILE] [--base TAR] [--keep FOLDER]

Then the last stage of the container file, on the same clean Debian, with the program of the package; it is run by podman.

Needs root, and of Debian: dpkg-dev, mmdebstrap, systemd-container; lintian, buildah, podman and runc if they are there. mmdebstrap takes the archive that this
Debian is set up for; --base keeps the clean system for the next time. The station runs in namespaces of its own, with no network
but loopback. What is not installed is skipped, and said. Exit status: 0 all that could be checked is right, 1 something is wrong, 2
nothing could be checked.
"""
import argparse
import glob
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PACKAGES = "systemd,systemd-sysv,init-system-helpers,adduser,procps,iproute2"
# Of `systemd-analyze security`: 0 is shut, 10 is open. What is left is what a sensor needs: sockets and one capability.
EXPOSURE_MOST = 2.5
FILES = [
    "etc/mothlight/station.yaml", "lib/systemd/system/mothlight-delegation.service",
    "lib/systemd/system/mothlight-delegation.timer", "lib/systemd/system/mothlight-sinkhole.service",
    "lib/systemd/system/mothlight-station.service", "usr/bin/mothlight", "usr/share/doc/mothlight/CHANGELOG.md",
    "usr/share/doc/mothlight/README.md", "usr/share/doc/mothlight/SECURITY.md", "usr/share/doc/mothlight/changelog.gz",
    "usr/share/doc/mothlight/copyright", "usr/share/doc/mothlight/examples/sinkhole-zones.yaml",
    "usr/share/doc/mothlight/examples/sinkhole.yaml", "usr/share/lintian/overrides/mothlight",
]

STATION = """station:
  data: /var/lib/mothlight
  sources: [ { interface: lo, name: wire }, { demo: true } ]
  judge_every_s: 1
  serve: { listen: "127.0.0.1:8420" }
"""

# Runs as a unit of the booted system. Lines `ok WHAT` and `WRONG WHAT` are read by `judge`.
INSIDE = r"""#!/bin/bash
say() { if [ "$1" = 0 ]; then echo "ok $2"; else echo "WRONG $2"; fi; }
get() { exec 3<>/dev/tcp/127.0.0.1/8420 || return 1; printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1:8420\r\nConnection: close\r\n\r\n' "$1" >&3; timeout 5 cat <&3; exec 3>&-; }
wait_for() { for _ in $(seq 100); do eval "$1" 2>/dev/null && return 0; sleep 0.1; done; return 1; }
pid() { systemctl show -P MainPID mothlight-station; }
ms() { echo $(( $(date +%s%N) / 1000000 )); }
ip link set lo up
cd /check

! systemctl is-enabled -q mothlight-station; say $? "the unit is off until somebody enables it"
cp station.yaml /etc/mothlight/station.yaml
systemctl enable -q mothlight-station
t=$(ms); systemctl start mothlight-station; wait_for 'get /healthz | grep -q "^ok"'; say $? "the station serves, $(( $(ms) - t )) ms after its start"
status=/proc/$(pid)/status
[ "$(ps -o user= -p "$(pid)")" = mothlight ]; say $? "it runs as mothlight"
grep -q '^CapEff:.*0000000000002000$' $status && grep -q '^CapBnd:.*0000000000002000$' $status; say $? "with CAP_NET_RAW and no other capability"
grep -q '^NoNewPrivs:.*1$' $status && grep -q '^Seccomp:.*2$' $status; say $? "behind a filter of system calls, without new privileges"
wait_for 'get /metrics | grep -q "source_state{source=\"wire\",state=\"running\"} 1"'; say $? "it captures on an interface"
wait_for 'get /metrics | grep -q "^mothlight_store_findings [1-9]"'; say $? "it judges, and keeps findings"
get / | grep -q 'infected'; say $? "its first page names infected machines"
[ "$(stat -c %U:%a /var/lib/mothlight/store.sqlite)" = mothlight:600 ]; say $? "its store is its own alone"
! nsenter -t "$(pid)" -m touch /usr/bin/x /etc/x 2>/dev/null; say $? "the system is read-only to it"
old=$(pid); systemctl reload mothlight-station; sleep 1; [ "$old" = "$(pid)" ] && systemctl is-active -q mothlight-station; say $? "it reads its configuration again and goes on"
t=$(ms); systemctl stop mothlight-station; took=$(( $(ms) - t ))
[ $took -le 5000 ] && [ "$(systemctl show -P Result mothlight-station)" = success ]; say $? "it stops in good order, in $took ms"

systemctl start mothlight-station; wait_for 'get /healthz | grep -q "^ok"'
kept=$(get /metrics | sed -n 's/^mothlight_store_findings //p')
old=$(pid); dpkg -i newer.deb > upgrade.log 2>&1; say $? "an upgrade goes through while it runs"
wait_for '[ -n "$(pid)" ] && [ "$(pid)" != 0 ] && [ "$(pid)" != "'$old'" ] && get /healthz | grep -q "^ok"'; say $? "the new program took over"
cmp -s station.yaml /etc/mothlight/station.yaml; say $? "the operator's configuration is as it was"
now=$(get /metrics | sed -n 's/^mothlight_store_findings //p'); [ "${now:-0}" -ge "${kept:-1}" ]; say $? "nothing that was kept is gone"
printf 'station:\n  nonsense: 1\n' > /etc/mothlight/station.yaml; systemctl restart mothlight-station; sleep 1
[ "$(systemctl show -P NRestarts mothlight-station)" = 0 ] && systemctl is-failed -q mothlight-station; say $? "a wrong configuration is told once, not tried again and again"
journalctl --sync; journalctl -u mothlight-station -o cat > journal.log; grep -q 'station.yaml:[12]: ' journal.log; say $? "with file and line in the journal"
cp station.yaml /etc/mothlight/station.yaml; systemctl reset-failed mothlight-station

sed 's|\.\./sinkhole-spool|/var/lib/mothlight/spool|' /usr/share/doc/mothlight/examples/sinkhole.yaml > /etc/mothlight/sinkhole.yaml
cp /usr/share/doc/mothlight/examples/sinkhole-zones.yaml /etc/mothlight/
systemctl start mothlight-sinkhole
wait_for '{ exec 4<>/dev/tcp/127.0.0.1/8081; } && exec 4>&-'; say $? "the sinkhole's unit listens"
main=$(systemctl show -P MainPID mothlight-sinkhole)
[ "$(ps -o user= -p "$main")" = mothlight ] && ! grep -q '^CapEff:.*3fffffffff$' /proc/$main/status; say $? "as mothlight"
t=$(ms); systemctl stop mothlight-sinkhole; took=$(( $(ms) - t ))
[ $took -le 5000 ] && [ "$(systemctl show -P Result mothlight-sinkhole)" = success ]; say $? "and stops in $took ms"

systemctl start mothlight-station; wait_for 'get /healthz | grep -q "^ok"'
dpkg -r mothlight > remove.log 2>&1; say $? "it is removed while it runs"
! pgrep -x mothlight > /dev/null && [ -f /var/lib/mothlight/store.sqlite ] && [ -f /etc/mothlight/station.yaml ]; say $? "stopped, with what it kept still there"
rm /etc/mothlight/sinkhole.yaml /etc/mothlight/sinkhole-zones.yaml
dpkg -P mothlight > purge.log 2>&1; say $? "it is purged"
[ ! -e /var/lib/mothlight ] && [ ! -e /etc/mothlight ] && [ -z "$(find /etc/systemd -name 'mothlight*')" ]; say $? "and nothing of it is left"
echo done
"""
UNIT = """[Unit]
After=basic.target
[Service]
Type=oneshot
StandardOutput=file:/check/log
StandardError=file:/check/errors
ExecStart=/bin/bash /check/inside
ExecStopPost=/bin/systemctl poweroff --no-block
TimeoutStartSec=300
[Install]
WantedBy=multi-user.target
"""


class Judge:
    """Counts what was right and what was not."""

    def __init__(self):
        self.right = self.wrong = 0
        self.skipped = []

    def say(self, is_right, what, more=""):
        print(("ok      " if is_right else "WRONG   ") + what)
        if is_right:
            self.right += 1
        else:
            self.wrong += 1
            if more:
                print("        " + "\n        ".join(more.strip().splitlines()[-12:]))

    def skip(self, what):
        print("skipped " + what)
        self.skipped.append(what)


def run(*command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)


def has(program):
    return shutil.which(program) is not None


def contents(deb, folder, judge):
    listed = run("dpkg-deb", "-c", deb).stdout.splitlines()
    files, modes, owners = [], {}, set()
    for line in listed:
        mode, owner, _, _, _, path = line.split(None, 5)
        owners.add(owner)
        path = path.removeprefix("./")
        modes[path] = mode
        if not mode.startswith("d"):
            files.append(path)
    judge.say(sorted(files) == sorted(FILES), "the package holds what it should and nothing else",
              "\n".join(sorted(set(files) ^ set(FILES))))
    judge.say(owners == {"root/root"} and not any("s" in m or m[8] == "w" for m in modes.values()),
              "all of it is root's, nothing sets a user, nothing is everybody's to write")
    judge.say(modes.get("etc/mothlight/station.yaml") == "-rw-r-----", "the configuration is not everybody's to read")
    fields = run("dpkg-deb", "-f", deb).stdout
    judge.say("libc6 (>=" in fields and "libssl3" in fields and "adduser" in fields, "it names what it needs", fields)
    run("dpkg-deb", "-x", deb, folder)
    needed = run("ldd", f"{folder}/usr/bin/mothlight").stdout
    judge.say("libswift" not in needed and "not found" not in needed, "the program needs no library of Swift", needed)
    if has("lintian"):
        told = run("lintian", "--allow-root", "--suppress-tags", "bogus-mail-host-in-debian-changelog", deb)
        lines = [line for line in told.stdout.splitlines() if re.match(r"[EW]: ", line)]
        judge.say(not lines, "lintian has no error and no warning", "\n".join(lines))
    else:
        judge.skip("lintian is not installed")


def units(folder, judge):
    if not has("systemd-analyze"):
        judge.skip("systemd-analyze is not installed")
        return
    for path in sorted(glob.glob(f"{folder}/lib/systemd/system/mothlight-*.service")):
        name = os.path.basename(path)
        verified = run("systemd-analyze", f"--root={folder}", "verify", f"/lib/systemd/system/{name}")
        # A tree with nothing but the package has none of systemd's own targets.
        lines = [line for line in verified.stdout.splitlines()
                 if name in line and "not found" not in line and "is not executable" not in line]
        judge.say(not lines, f"{name}: systemd understands every line", "\n".join(lines))
        told = run("systemd-analyze", "security", "--offline=true", "--no-pager", path).stdout
        level = re.search(r"Overall exposure level.*: ([0-9.]+)", told)
        judge.say(level is not None and float(level[1]) <= EXPOSURE_MOST,
                  f"{name}: exposure {level[1] if level else 'unknown'}, at most {EXPOSURE_MOST}",
                  "\n".join(line for line in told.splitlines() if line.startswith("✗")))


def base_system(arguments, root, judge):
    if arguments.base and os.path.exists(arguments.base):
        shutil.copy(arguments.base, os.path.dirname(root) + "/base.tar")
        return run("tar", "-xf", arguments.base, "-C", root).returncode == 0
    with open("/etc/os-release") as file:
        name = re.search(r"VERSION_CODENAME=(\w+)", file.read())
    tar = arguments.base or os.path.dirname(root) + "/base.tar"
    made = run("mmdebstrap", "--variant=minbase", f"--include={PACKAGES}", name[1] if name else "stable", tar)
    if made.returncode != 0:
        judge.say(False, "a clean Debian is made", made.stdout)
        return False
    return run("tar", "-xf", tar, "-C", root).returncode == 0


def newer(deb, folder):
    """The same package with a higher version."""
    tree = f"{folder}/newer"
    run("dpkg-deb", "-R", deb, tree)
    control = f"{tree}/DEBIAN/control"
    with open(control) as file:
        text = re.sub(r"(?m)^Version: (.*)$", r"Version: \1+1", file.read())
    with open(control, "w") as file:
        file.write(text)
    # A conffile that the operator changed, and that a new version changes, too, must stay the operator's.
    run("dpkg-deb", "--root-owner-group", "--build", tree, f"{folder}/newer.deb")
    return f"{folder}/newer.deb"


def inside(root, *command):
    """In the clean system, with a /proc: the program reads its arguments there."""
    return run("unshare", "-m", "sh", "-c", 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"', root, *command)


def installed(deb, root, judge):
    shutil.copy(deb, f"{root}/mothlight.deb")
    shutil.copy("/etc/resolv.conf", f"{root}/etc/resolv.conf")
    with open(f"{root}/usr/sbin/policy-rc.d", "w") as file:
        file.write("#!/bin/sh\nexit 101\n")
    os.chmod(f"{root}/usr/sbin/policy-rc.d", 0o755)
    run("chroot", root, "apt-get", "update")
    told = run("chroot", root, "apt-get", "install", "-y", "--no-install-recommends", "/mothlight.deb",
               env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "TMPDIR": "/tmp"})
    os.remove(f"{root}/usr/sbin/policy-rc.d")
    judge.say(told.returncode == 0, "apt installs it in a clean Debian, with what it needs", told.stdout)
    if told.returncode != 0:
        return False
    version = inside(root, "mothlight", "--version")
    judge.say(re.match(r"mothlight \d", version.stdout) is not None, "the program starts there", version.stdout)
    check = inside(root, "mothlight", "config", "check", "/etc/mothlight/station.yaml")
    judge.say(check.returncode == 0 and "a station with one source" in check.stdout, "its configuration is right", check.stdout)
    owner = run("chroot", root, "stat", "-c", "%U:%G %a", "/var/lib/mothlight", "/etc/mothlight/station.yaml")
    judge.say(owner.stdout.split("\n")[:2] == ["mothlight:mothlight 750", "root:mothlight 640"],
              "folder and configuration are the station's", owner.stdout)
    user = run("chroot", root, "getent", "passwd", "mothlight").stdout
    judge.say(user.strip().endswith("/usr/sbin/nologin"), "its user cannot log in", user)
    return True


def booted(deb, root, folder, judge):
    if not has("systemd-nspawn"):
        judge.skip("systemd-nspawn is not installed (systemd-container): the units were not run")
        return
    place = f"{root}/check"
    os.makedirs(place)
    for name, text in [("inside", INSIDE), ("station.yaml", STATION)]:
        with open(f"{place}/{name}", "w") as file:
            file.write(text)
    shutil.copy(newer(deb, folder), f"{place}/newer.deb")
    with open(f"{root}/etc/systemd/system/check.service", "w") as file:
        file.write(UNIT)
    os.makedirs(f"{root}/etc/systemd/system/multi-user.target.wants", exist_ok=True)
    os.symlink("/etc/systemd/system/check.service", f"{root}/etc/systemd/system/multi-user.target.wants/check.service")
    try:
        told = run("systemd-nspawn", "-D", root, "--boot", "--private-network", "--register=no", "--keep-unit",
                   "--console=pipe", "--capability=CAP_NET_ADMIN,CAP_NET_RAW", stdin=subprocess.DEVNULL, timeout=420)
        console = told.stdout
    except subprocess.TimeoutExpired as late:
        console = (late.stdout or b"").decode(errors="replace") if isinstance(late.stdout, bytes) else late.stdout or ""
    try:
        with open(f"{place}/log") as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        lines = []
    if not lines:
        judge.say(False, "a system boots from it", console)
        return
    for line in lines:
        word, _, what = line.partition(" ")
        if word in ("ok", "WRONG"):
            judge.say(word == "ok", what)
    judge.say(lines[-1] == "done", "all of it was gone through")


def container(tree, folder, judge):
    """The container's first stage builds what was built already; the program comes from the package."""
    if not all(has(tool) for tool in ("buildah", "podman", "runc")):
        judge.skip("buildah, podman or runc is not installed: the container was not made")
        return
    storage = f"{folder}/containers"
    # Kernel limits and storage as they are anywhere, also inside of another container.
    with open(f"{folder}/containers.conf", "w") as file:
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        file.write(f'[containers]\ndefault_ulimits = [ "nofile={min(limit, 20000)}:{min(limit, 20000)}", "nproc=1000:1000" ]\n')
    environment = {**os.environ, "STORAGE_DRIVER": "vfs", "BUILDAH_ISOLATION": "chroot",
                   "CONTAINERS_CONF": f"{folder}/containers.conf"}
    podman = ["podman", "--root", storage, "--runroot", f"{folder}/run", "--runtime", "runc", "--cgroup-manager", "cgroupfs"]
    built = f"{folder}/built"
    os.makedirs(built, exist_ok=True)
    shutil.copy(f"{tree}/usr/bin/mothlight", f"{built}/mothlight")
    run(*podman, "import", f"{folder}/base.tar", "localhost/base", env=environment)
    made = run("buildah", "--root", storage, "--runroot", f"{folder}/run", "bud", "--build-context", f"build={built}", "--build-arg", "DEBIAN=localhost/base",
               "-f", f"{HOME}/packaging/Containerfile", "-t", "mothlight", HOME, env=environment)
    judge.say(made.returncode == 0, "packaging/Containerfile makes the container", made.stdout)
    if made.returncode != 0:
        return
    with open(f"{folder}/station.yaml", "w") as file:
        file.write(STATION)
    os.chmod(f"{folder}/station.yaml", 0o644)
    os.chmod(folder, 0o755)
    name = f"check-{os.getpid()}"
    with open(f"{folder}/container.log", "w") as log:
        running = subprocess.Popen(
            [*podman, "run", "--rm", "--name", name, "--network", "none", "--cap-drop", "all", "--cap-add", "net_raw", "-v",
             f"{folder}/station.yaml:/etc/mothlight/station.yaml:ro", "localhost/mothlight"],
            stdout=log, stderr=subprocess.STDOUT, env=environment)
    try:
        text = ""
        for _ in range(300):
            time.sleep(0.1)
            with open(f"{folder}/container.log") as file:
                text = file.read()
            if "wire: running" in text and "open http" in text or running.poll() is not None:
                break
        judge.say("wire: running" in text and "open http" in text, "it captures and serves", text)
        pid = run(*podman, "inspect", "--format", "{{.State.Pid}}", name, env=environment).stdout.strip()
        try:
            with open(f"/proc/{int(pid)}/status") as file:
                status = file.read()
        except (ValueError, OSError):
            status = ""
        judge.say(re.search(r"(?m)^Uid:\t[1-9]", status) is not None and "CapEff:\t0000000000002000" in status,
                  "not as root, with CAP_NET_RAW and no other capability", status)
        start = time.monotonic()
        run(*podman, "stop", "-t", "10", name, env=environment)
        took = time.monotonic() - start
        judge.say(running.wait(20) == 0 and took < 8, f"it stops in good order, in {took:.1f} s with podman's own time")
    finally:
        if running.poll() is None:
            running.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--deb", help="the package; made when it is not given")
    parser.add_argument("--program", help="release program to make it from, instead of building one")
    parser.add_argument("--base", help="archive of a clean Debian; made when it is not there")
    parser.add_argument("--keep", help="folder in which everything is left")
    arguments = parser.parse_args()
    if os.getuid() != 0 or not has("dpkg-deb"):
        print("check_package: root and dpkg are needed", file=sys.stderr)
        return 2
    judge = Judge()
    folder = arguments.keep or tempfile.mkdtemp(prefix="check-package-")
    os.makedirs(folder, exist_ok=True)
    try:
        deb = arguments.deb
        if not deb:
            made = run(f"{HOME}/packaging/make-deb", folder, *([arguments.program] if arguments.program else []))
            found = sorted(glob.glob(f"{folder}/mothlight_*.deb"))
            judge.say(made.returncode == 0 and len(found) == 1, "packaging/make-deb makes the package", made.stdout)
            if made.returncode != 0 or not found:
                return 1
            deb = found[0]
        tree = f"{folder}/tree"
        os.makedirs(tree, exist_ok=True)
        contents(deb, tree, judge)
        units(tree, judge)
        root = f"{folder}/root"
        if not has("mmdebstrap") and not arguments.base:
            judge.skip("mmdebstrap is not installed: nothing was installed from it")
        else:
            os.makedirs(root, exist_ok=True)
            if base_system(arguments, root, judge) and installed(deb, root, judge):
                booted(deb, root, folder, judge)
                container(tree, folder, judge)
    finally:
        if not arguments.keep:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{judge.right} right, {judge.wrong} wrong, {len(judge.skipped)} skipped")
    return 1 if judge.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
