#!/usr/bin/env python3
"""Reads the formats for exchange with the programs that they are made for: IntelMQ's parser of Shadowserver reports, IntelMQ's own
events, and the schemas of XARF 4.

    pip install intelmq xarf jsonschema
    Tools/check_exchange.py .build/debug/mothlight [SPOOL]

A spool is simulated unless one is given, exported and read back; nothing is fetched and nothing is sent. What is not installed is skipped, and said.
Exit status: 0 all that could be checked is right, 1 something is wrong, 2 nothing could be checked.
"""
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

SCENARIO = "botnet: Mariposa\nmachines: 150\ndays: 3\nseed: 5\n"
REPORTER = "CERT Example <abuse@cert.example>"
COMMON = """timestamp protocol src_ip src_port src_asn src_geo src_region src_city src_hostname src_naics src_sector device_vendor
device_type device_model severity dst_ip dst_port dst_asn dst_geo dst_region dst_city dst_hostname dst_naics dst_sector public_source
infection family tag application version event_id""".split()
# The public mapping of these reports, as far as it concerns columns that are filled here.
MAPPING = {
    "constant_fields": {"classification.taxonomy": "malicious-code", "classification.type": "infected-system"},
    "required_fields": [
        ["time.source", "timestamp", "add_UTC_to_timestamp"], ["source.ip", "src_ip", "validate_ip"],
        ["source.port", "src_port", "convert_int"],
    ],
    "optional_fields": [
        ["source.asn", "src_asn", "invalidate_zero"], ["source.geolocation.cc", "src_geo"],
        ["destination.ip", "dst_ip", "validate_ip"], ["destination.port", "dst_port", "convert_int"],
        ["protocol.transport", "protocol"], ["severity", "severity"], ["malware.name", "infection"],
        ["extra.", "family", "validate_to_none"], ["extra.", "tag", "validate_to_none"],
        ["extra.", "application", "validate_to_none"], ["extra.", "event_id", "validate_to_none"],
        ["extra.", "public_source", "validate_to_none"],
    ],
}


def run(program, *arguments):
    return subprocess.run([program, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def shadowserver(program, spool, folder):
    """Each file through IntelMQ's ShadowserverParserBot, told by its name which report it is."""
    import intelmq.lib.test as test
    import intelmq.lib.utils as utils
    from intelmq.bots.parsers.shadowserver import _config
    from intelmq.bots.parsers.shadowserver.parser import ShadowserverParserBot
    import unittest

    reports = os.path.join(folder, "reports")
    os.mkdir(reports)
    run(program, "read", spool, "--format", "shadowserver", "-o", reports, "--reporter", REPORTER, "--no-progress")
    names = sorted(os.listdir(reports))
    schema = os.path.join(folder, "schema.json")
    types = {re.match(r"^\d{4}-\d{2}-\d{2}-([^-]+)-.+\.csv$", name).group(1) for name in names}
    with open(schema, "w") as file:
        json.dump({kind: dict(MAPPING, feed_name=kind, file_name=kind, url="") for kind in types}, file)
    loaded = _config.__dict__["__config"]
    loaded.schema_file = loaded.schema_active = schema
    rows = events = 0
    for name in names:
        text = open(os.path.join(reports, name)).read()
        header = text.split("\n", 1)[0].replace('"', "").split(",")
        assert header[:31] == COMMON, header
        rows += text.count("\n") - 1

        class One(test.BotTestCase, unittest.TestCase):
            @classmethod
            def set_bot(cls):
                cls.bot_reference = ShadowserverParserBot
                cls.default_input_message = {
                    "__type": "Report", "feed.name": "ours", "raw": utils.base64_encode(text),
                    "time.observation": "2026-03-09T00:00:00+00:00", "extra.file_name": name,
                }

            def runTest(self):
                self.run_bot()
                for message in self.get_output_queue():
                    event = json.loads(message)
                    assert event["classification.type"] == "infected-system" and event["source.port"] > 0, event
                    assert event["time.source"].endswith("+00:00"), event
                    type(self).count += 1

        One.count = 0
        result = unittest.TextTestRunner(stream=open(os.devnull, "w")).run(unittest.TestSuite([One()]))
        assert result.wasSuccessful(), (name, result.errors, result.failures)
        events += One.count
    assert rows == events > 0, (rows, events)
    return f"{len(names)} files, {events} rows are {events} events of IntelMQ's Shadowserver parser"


def intelmq(program, spool, folder):
    """Each line as an event, under the types and patterns of the harmonisation that ships with IntelMQ."""
    import importlib.resources
    import intelmq.lib.message as message

    harmonisation = json.loads((importlib.resources.files("intelmq") / "etc" / "harmonization.conf").read_text())
    text = run(program, "read", spool, "--format", "intelmq", "--reporter", REPORTER, "--no-progress")
    count = 0
    for line in text.splitlines():
        given = json.loads(line)
        event = message.Event(harmonization=harmonisation)
        for key, value in given.items():
            if key != "__type":
                event.add(key, value, sanitize=False)
        assert event["source.port"] > 0 and event["time.source"], given
        count += 1
    assert count > 0
    return f"{count} lines are valid IntelMQ events without any sanitation"


def xarf(program, spool, folder):
    """Each line under the schemas that ship with the package, all rules on."""
    import importlib.resources
    from jsonschema import Draft202012Validator, FormatChecker
    from referencing import Registry, Resource

    schemas = importlib.resources.files("xarf") / "schemas"
    registry = Registry()
    for path in [schemas / "xarf-core.json", *(schemas / "types").iterdir()]:
        schema = json.loads(path.read_text())
        registry = registry.with_resource(schema["$id"], Resource.from_contents(schema))
    botnet = json.loads((schemas / "types" / "infrastructure-botnet.json").read_text())
    validator = Draft202012Validator(botnet, registry=registry, format_checker=FormatChecker())
    text = run(program, "read", spool, "--format", "xarf", "--reporter", REPORTER, "--no-progress")
    reports = [json.loads(line) for line in text.splitlines()]
    assert reports
    for report in reports:
        errors = [error.message for error in validator.iter_errors(report)]
        assert not errors, (errors, report)
    # A check that accepts everything checks nothing.
    for key in ["xarf_version", "report_id", "timestamp", "reporter", "source_identifier", "compromise_evidence"]:
        broken = dict(reports[0])
        del broken[key]
        assert list(validator.iter_errors(broken)), key
    from xarf import parse

    for report in reports[:50]:
        result = parse(report)
        errors = getattr(result, "errors", None)
        assert not errors, (errors, report)
    return f"{len(reports)} lines are valid XARF 4 reports"


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    program = os.path.abspath(sys.argv[1])
    if os.geteuid() == 0 and shutil.which("unshare"):
        # IntelMQ refuses to run as root; no network is needed, so there is none.
        os.execvp("unshare", ["unshare", "-Un", sys.executable, os.path.abspath(__file__), program, *map(os.path.abspath, sys.argv[2:])])
    checked = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        if len(sys.argv) == 3:
            spool = sys.argv[2]
        else:
            with open(f"{folder}/botnet.yaml", "w") as file:
                file.write(SCENARIO)
            run(program, "simulate", f"{folder}/botnet.yaml", "-o", f"{folder}/simulated")
            spool = f"{folder}/simulated/spool-sinkhole"
        os.environ["INTELMQ_ROOT_DIR"] = folder
        for check in (shadowserver, intelmq, xarf):
            try:
                print(f"{check.__name__}: {check(program, spool, folder)}")
                checked += 1
            except ImportError as error:
                print(f"{check.__name__}: skipped, {error.name or error} is not installed")
            except AssertionError as error:
                print(f"{check.__name__}: WRONG: {error}")
                failed += 1
    sys.exit(1 if failed else 0 if checked else 2)


main()
