"""What `quality.py` simulates: infections at the easy and the hard end of each detector, and healthy networks with traps."""
import random

# Detector, end, machine kind, what it does, the infection's knobs. `bots` > 1: so many machines share the server.
TCP = {"kind": "beacon", "transport": "tcp"}
CASES = [
    ("scan-out", "easy", "pc", "445/tcp twice a second", {"kind": "scan", "port": 445, "period_s": 0.5, "count": 2000}),
    ("scan-out", "hard", "pc", "445/tcp every 4 min", {"kind": "scan", "port": 445, "period_s": 240, "jitter": 0.5}),
    ("device-attack", "easy", "iot", "23, 2323, 5555 each minute", {"kind": "device_attack", "period_s": 60}),
    ("device-attack", "hard", "iot", "one try in 80 min, a third answers",
     {"kind": "device_attack", "period_s": 4800, "jitter": 0.5, "blends": True}),
    ("smtp-fan-out", "easy", "pc", "a mail each 20 s", {"kind": "spam", "period_s": 20}),
    ("smtp-fan-out", "hard", "pc", "a mail each 4.5 min", {"kind": "spam", "period_s": 270, "count": 80}),
    ("brute-force-out", "easy", "pc", "SSH, a try each 3 s", {"kind": "brute_force"}),
    ("brute-force-out", "hard", "pc", "SSH, a try each 18 s", {"kind": "brute_force", "period_s": 18, "jitter": 0.3, "count": 60}),
    ("ddos-participation", "easy", "pc", "10,000 SYNs", {"kind": "ddos"}),
    ("ddos-participation", "hard", "pc", "6,000 datagrams at 110/s",
     {"kind": "ddos", "transport": "udp", "period_s": 0.009, "count": 6000}),
    ("p2p-fan-out", "easy", "pc", "a peer each 20 s", {"kind": "p2p"}),
    ("p2p-fan-out", "hard", "pc", "a peer each 4 min, most answer", {"kind": "p2p", "period_s": 240, "count": 100, "blends": True}),
    ("beacon", "easy", "pc", "by address, 5 min ± 5 %", {**TCP, "period_s": 300, "jitter": 0.05, "port": 48111}),
    ("beacon", "hard", "pc", "TLS by name, 20 min ± 50 %, 30 % missed, 30 % extra",
     {"kind": "beacon", "period_s": 1200, "jitter": 0.5, "miss": 0.3, "extra": 0.3, "name": "*"}),
    ("quiet-channel", "easy", "iot", "telnet port, by address", {"kind": "quiet_channel", "port": 23}),
    ("quiet-channel", "hard", "pc", "odd port, by name", {"kind": "quiet_channel", "name": "*"}),
    ("strobe", "easy", "pc", "two a second, odd port", {**TCP, "period_s": 0.5, "count": 9000, "port": 5633}),
    ("strobe", "hard", "pc", "1.1 a second by name", {**TCP, "period_s": 0.9, "count": 5000, "port": 443, "name": "*"}),
    ("steady-dialogue", "easy", "pc", "each 4 s", {**TCP, "period_s": 4, "jitter": 0.5, "count": 9000, "port": 5733}),
    ("steady-dialogue", "hard", "pc", "each 10 min by name", {"kind": "beacon", "period_s": 600, "jitter": 0.9, "name": "*"}),
    ("dead-rendezvous", "easy", "pc", "odd port, by address, 1 min", {"kind": "dead_rendezvous", "period_s": 60, "jitter": 0.9}),
    ("dead-rendezvous", "hard", "pc", "443 by name, 20 min",
     {"kind": "dead_rendezvous", "period_s": 1200, "jitter": 0.9, "port": 443, "name": "*"}),
    ("unnamed-service", "easy", "pc", "odd port, 5 min ± 90 %", {**TCP, "period_s": 300, "jitter": 0.9, "port": 48101}),
    ("unnamed-service", "hard", "pc", "odd port, 80 min ± 90 %", {**TCP, "period_s": 4800, "jitter": 0.9, "port": 48101}),
    ("same-request", "easy", "pc", "30 servers", {"kind": "same_request", "count": 30}),
    ("same-request", "hard", "pc", "9 servers, 20 min apart", {"kind": "same_request", "count": 9, "period_s": 1200}),
    ("http-call-home", "easy", "pc", "POST of one size to an address", {"kind": "http_call_home"}),
    ("http-call-home", "hard", "pc", "GET by name, browser's agent", {"kind": "http_call_home", "blends": True, "name": "*"}),
    ("irc-command-channel", "easy", "pc", "kit's nickname, odd port, key", {"kind": "irc"}),
    ("irc-command-channel", "hard", "pc", "ordinary nickname, 6667, by name",
     {"kind": "irc", "blends": True, "port": 6667, "name": "*"}),
    ("program-download", "easy", "iot", "four processor types by address", {"kind": "program_download"}),
    ("program-download", "hard", "pc", "one .exe by name", {"kind": "program_download", "blends": True, "name": "*"}),
    ("proxied-beacon", "easy", "proxied", "4 min ± 10 %", {"kind": "proxied_beacon", "jitter": 0.1, "name": "*"}),
    ("proxied-beacon", "hard", "proxied", "20 min ± 50 %, 30 % missed",
     {"kind": "proxied_beacon", "period_s": 1200, "jitter": 0.5, "miss": 0.3, "name": "*"}),
    ("click-fraud", "easy", "pc", "400 clicks", {"kind": "click_fraud"}),
    ("click-fraud", "hard", "pc", "60 clicks", {"kind": "click_fraud", "period_s": 600, "count": 60}),
    ("upload-ratio", "easy", "pc", "60 × 1 MB", {"kind": "beacon", "period_s": 300, "size": 1000000, "count": 60, "name": "*"}),
    ("upload-ratio", "hard", "pc", "70 × 0.4 MB", {"kind": "beacon", "period_s": 700, "jitter": 0.5, "size": 400000, "count": 70, "name": "*"}),
    ("nxdomain-burst", "easy", "pc", "60 names each 2 h", {"kind": "nxdomain_burst", "name": "*"}),
    ("nxdomain-burst", "hard", "pc", "24 names each 4 h", {"kind": "nxdomain_burst", "period_s": 14400, "count": 24, "name": "*"}),
    ("dns-tunnel", "easy", "pc", "TXT, 60 octets each 5 s", {"kind": "dns_tunnel", "name": "*"}),
    ("dns-tunnel", "hard", "pc", "A, 12 octets each 5 min",
     {"kind": "dns_tunnel", "period_s": 300, "size": 12, "blends": True, "jitter": 0.5, "name": "*"}),
    ("fast-flux", "easy", "pc", "5 addresses each 10 min", {"kind": "fast_flux", "name": "*"}),
    ("fast-flux", "hard", "pc", "2 addresses each 2 h", {"kind": "fast_flux", "period_s": 7200, "count": 2, "blends": True, "name": "*"}),
    ("mariposa-checkin", "easy", "pc", "join and keep-alives", {"kind": "bfbot", "name": "*"}),
    ("mariposa-checkin", "hard", "pc", "half of the keep-alives missed, port 7700",
     {"kind": "bfbot", "miss": 0.5, "port": 7700, "name": "*"}),
]
# Need a network to themselves: (detector, end, kind, what, infection, bots).
CROWDS = [
    ("synchrony", "easy", "pc", "5 bots, odd port, by address", {"kind": "crowd", "transport": "tcp", "port": 6180, "period_s": 1500}, 5),
    ("synchrony", "hard", "pc", "3 bots, TLS by name, up to 6 s apart", {"kind": "crowd", "jitter": 0.3, "name": "*"}, 3),
    ("shared-scan", "easy", "iot", "5 bots, a try each 40 min", {"kind": "device_attack", "port": 23, "period_s": 2400, "jitter": 0.9}, 5),
    ("shared-scan", "hard", "iot", "3 bots, a try each 2.5 h", {"kind": "device_attack", "port": 23, "period_s": 9000, "jitter": 0.9}, 3),
]
WAKE = 30600  # 08:30, when the offices open
START_DAYS = ["2026-03-02", "2026-05-13", "2026-08-20", "2026-10-27"]


def switches(rng, **shares):
    """Service switches of one group, each on with its probability."""
    return {name: True for name, share in shares.items() if rng.random() < share}


def healthy(rng, machines, traps):
    """Groups of one healthy network with about `machines` machines; with `traps` every look-alike has its chance."""
    groups = []

    def group(name, kind, count, online=None, **services):
        entry = {"group": name, "kind": kind, "count": count}
        if online:
            entry["online"] = online
        if services:
            entry["services"] = services
        groups.append(entry)
        return count

    def maybe(share):
        return rng.random() < (share if traps else share / 3)

    left = machines
    left -= group("server", "server", rng.randint(1, 2), cron=True, **switches(rng, backup=.5))
    left -= group("iot", "iot", rng.randint(3, 8), dhcp=True)
    if maybe(.6):
        left -= group("monitor", "server", 1, monitoring=True)
    if maybe(.5):
        left -= group("mail", "server", 1, mail_server=True, backup=True)
    if maybe(.4):
        left -= group("resolver", "server", 1, resolver=True)
    if maybe(.3):
        left -= group("scanner", "server", 1, inside_scanner=True)
    if maybe(.5):
        left -= group("broker", "iot", rng.randint(1, 2), bare_mqtt=True, dhcp=True)
    common = dict(name_noise=True, dhcp=True)
    singles = [("torrent", .4, dict(bittorrent=True, returning_swarm=True)), ("feeds", .5, dict(rss=True)), ("gamer", .5, dict(game=True)),
               ("admin", .5, dict(secure_shell=True, failing_sites=True)), ("road", .6, dict(vpn=True)),
               ("chatter", .3, dict(chat=True)), ("script", .15, dict(home_script=True)),
               ("stale", .2, dict(moved_server=True)), ("vault", .3, dict(backup=True))]
    for name, share, services in singles:
        if maybe(share):
            left -= group(name, "office", 1, 24 if rng.random() < .4 else None, **common, **services)
    if maybe(.15):
        left -= group("proxied", "office", rng.randint(6, 12), proxied_web=True, browsing=False, **common)
    for name, share, services in [("viewer", .15, dict(content_network=True)), ("reporter", .2, dict(updater_post=True)),
                                  ("guarded", .1, dict(hash_scan=True)), ("flaky", .2, dict(failing_sites=True))]:
        left -= group(name, "office", max(1, round(machines * share * rng.uniform(.5, 1))), **common, **services)
    group("office", "office", max(1, left), rng.choice([8, 9, 10]), **common)
    return groups


def base(name, seed, rng, formats):
    scenario = {"name": name, "seed": seed, "start": rng.choice(START_DAYS), "hours": 24, "formats": formats,
                "home": rng.choice(["192.168.10.0/24", "10.20.30.0/24", "172.16.5.0/24"])}
    if rng.random() < .12:
        scenario["power_cuts_h"] = [round(rng.uniform(9, 16), 2)]
    return scenario


def benign_scenario(index, seed, machines, formats):
    rng = random.Random(seed)
    scenario = base(f"benign-{index}", seed, rng, formats)
    scenario["machines"] = healthy(rng, machines, traps=True)
    return scenario


def infected_scenarios(round_number, seed, formats, per_network=8):
    """Every case once, in networks of some thirty machines; yields (scenario, {group name: case})."""
    rng = random.Random(seed)
    cases = [(*case, 1) for case in CASES]
    rng.shuffle(cases)
    lots = [cases[i:i + per_network] for i in range(0, len(cases), per_network)] + [[crowd] for crowd in CROWDS]
    for number, lot in enumerate(lots):
        scenario = base(f"infected-{round_number}-{number}", seed * 100 + number, rng, formats)
        scenario.pop("power_cuts_h", None)
        # Half of the healthy desktops are on all day, as the infected ones are.
        scenario["machines"] = healthy(rng, 22, traps=False)
        scenario["machines"].append({"group": "awake", "kind": "office", "count": 6, "online": 24,
                                     "services": {"name_noise": True, "dhcp": True}})
        scenario["infections"] = []
        placed = {}
        for place, (detector, end, kind, what, knobs, bots) in enumerate(lot):
            group = f"bot{place}"
            services = {"name_noise": True, "dhcp": True} if kind != "iot" else {"dhcp": True}
            if kind == "proxied":
                services.update(proxied_web=True, browsing=False)
            scenario["machines"].append({"group": group, "kind": "iot" if kind == "iot" else "office", "count": bots,
                                         "online": 24, "services": services})
            label = f"{detector}-{end}-{seed}"
            for bot in range(bots):
                infection = {"host": f"{group}/{bot + 1}", "start_offset_s": WAKE, "family": label, **knobs}
                if knobs.get("name") == "*":
                    infection["name"] = f"zz--{rng.choice(WORDS)}{rng.choice(WORDS)}.{rng.choice(['com', 'net', 'org'])}" \
                        if bot == 0 else scenario["infections"][-1]["name"]
                scenario["infections"].append(infection)
            placed[group] = (detector, end, what)
        yield scenario, placed


WORDS = ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "haven", "iris", "juno", "kite", "lumen", "maple",
         "north", "opal", "pine", "quill", "ridge", "slate", "tidal", "umber", "vale", "willow", "zephyr"]
