import Mothlight

@testable import MothlightStation

/// What is live in the made-up office.
enum DemoBoard {
  static func make(now: Timestamp = DemoStation.now) -> StatusBoard {
    let board = StatusBoard(at: now.advanced(bySeconds: -172_800))
    board.update { pipeline in
      pipeline.observations = 48_204_117
      pipeline.observationsPerSecond = 931
      pipeline.hosts = 412
      pipeline.pairs = 88_203
      pipeline.newest = now.advanced(bySeconds: -1)
      pipeline.judged = now.advanced(bySeconds: -14)
      pipeline.judgingSeconds = 1.3
      pipeline.home = ["10.20.0.0/16", "fd20:7::/32"].compactMap { Prefix($0) }
      pipeline.homeWasGiven = true
      pipeline.isLearning = false
      pipeline.counters = ["evicted_flows": 12, "suppressed": 4031]
    }
    add(board, "uplink", "interface", "eth1", now) { source in
      source.records = 61_204_882
      source.octets = 48_900_000_000
      source.used = 31_020_441
      source.skipped = ["not_ip": 20_113]
      source.unparsed = 41
      source.newest = now.advanced(bySeconds: -1)
    }
    add(board, "core-router", "flows", "10.20.0.1, port 2055", now) { source in
      source.records = 9_402_118
      source.octets = 1_204_000_000
      source.used = 9_380_900
      source.skipped = ["options": 412, "sampling_unknown": 20_806]
      source.dropped = ["queue": 21_004, "template": 96]
      source.isSampled = true
      source.details = ["exporter 10.20.0.1": "IPFIX, 6 templates, sampled 1 in 100"]
    }
    add(board, "zeek", "folder", "logs/current", now) { source in
      source.records = 7_802_776
      source.octets = 2_900_000_000
      source.used = 7_802_776
    }
    add(board, "branch", "spool", "spools/branch", now) { source in
      source.state = .waiting
      source.retryAt = now.advanced(bySeconds: 40)
      source.restarts = 7
      source.records = 5200
      source.trouble = "spools/branch: no such folder; mount it, or take the source out of the configuration"
    }
    return board
  }

  private static func add(
    _ board: StatusBoard, _ name: String, _ kind: String, _ place: String, _ now: Timestamp,
    _ change: (inout SourceHealth) -> Void
  ) {
    let meter = SourceMeter(name: name, kind: kind, place: place, at: now.advanced(bySeconds: -172_000))
    meter.update { $0.state = .running }
    meter.update(change)
    board.add(meter)
  }
}
