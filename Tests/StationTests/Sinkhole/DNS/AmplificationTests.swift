import Mothlight
import Testing

@testable import MothlightStation

/// A small generator with a seed, so that a failure can be had again.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
}

/// Queries of every kind, most of them damaged.
enum QueryMutations {
  private static let names = [
    "seized00.test", "a.seized00.test", "bare.test", "www.bare.test", "x.dga.test", "ended.test", "other.test", ".",
    "test",
  ]
  private static let types: [UInt16] = [1, 2, 6, 12, 15, 16, 28, 41, 43, 48, 65, 249, 250, 251, 252, 255, 1000, 0]

  static func valid(_ generator: inout SplitMix) -> WireQuery {
    var query = WireQuery(names.randomElement(using: &generator) ?? ".", types.randomElement(using: &generator) ?? 1)
    if Bool.random(using: &generator) {
      query.edns = UInt8.random(in: 0...9, using: &generator) == 0 ? 1 : 0
      query.payload = [0, 512, 1232, 4096, 65_535].randomElement(using: &generator) ?? 0
      let options: [(UInt16, [UInt8])] = [
        (3, []), (10, Array(0..<8)), (10, Array(0..<24)), (10, Array(0..<5)), (8, [0, 1, 24, 0, 192, 0, 2]),
        (8, [0, 2, 56, 0, 32, 1, 13, 184, 0, 0, 0]), (12, [0, 0, 0]), (100, []),
      ]
      for _ in 0..<Int.random(in: 0...3, using: &generator) {
        query.options.append(options.randomElement(using: &generator) ?? (3, []))
      }
    }
    return query
  }

  static func next(_ generator: inout SplitMix) -> [UInt8] {
    var octets = valid(&generator).octets
    switch Int.random(in: 0...7, using: &generator) {
    case 0: octets = Array(octets.prefix(Int.random(in: 0...octets.count, using: &generator)))
    case 1:
      octets += (0..<Int.random(in: 1...40, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator)
      }
    case 2...5:
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        octets[Int.random(in: 0..<octets.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
    case 6:
      octets = (0..<Int.random(in: 0...300, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator)
      }
    default: break
    }
    return octets
  }
}

/// What goes out over UDP to an address that was not proven is less than three times what came in.
@Suite struct AmplificationTests {
  /// Settings that make replies as long as they may be.
  private func greedy(_ settings: inout DNSSettings) throws {
    settings.nsid = [UInt8](repeating: 0x6e, count: DNSSettings.Bound.nsid)
    settings.ownership = [String](repeating: String(repeating: "o", count: 200), count: 3)
    settings.servers = try (1...8).map { try DomainName("ns\($0).a-long-name-of-an-operator-\($0).example") }
    settings.addresses.ipv4 = (1...8).map { IPAddress(v4: 0xc000_0200 + UInt32($0)) }
    settings.addresses.ipv6 = (1...8).map { IPAddress(high: 0x2001_0db8_0000_0000, low: UInt64($0)) }
  }

  @Test func everyTypeAndOption() throws {
    var settings = try SinkFixture.settings()
    try greedy(&settings)
    let greedySettings = settings
    var sink = try Sink { $0 = greedySettings }
    var worst = 0.0
    let client = [UInt8](0..<8)
    let choices: [[(UInt16, [UInt8])]] = [[], [(3, [])], [(10, client)], [(3, []), (10, client)]]
    for name in ["seized00.test", "a.seized00.test", "x.dga.test", "other.test", ".", "www.bare.test"] {
      for type: UInt16 in [1, 2, 6, 15, 16, 28, 48, 255, 1000] {
        for options in choices {
          for edns in [nil, 0, 1] as [UInt8?] {
            let query = WireQuery(name, type, edns: edns).with {
              $0.options = options
              $0.payload = 65_535
            }.octets
            let reply = sink.octets(query)
            worst = max(worst, Double(reply.count) / Double(query.count))
            #expect(reply.count < 3 * query.count, "\(name) \(type) \(options)")
          }
        }
      }
    }
    #expect(worst > 1.5, "the settings are not greedy")
  }

  @Test func mutatedPackets() throws {
    var settings = try SinkFixture.settings()
    try greedy(&settings)
    let greedySettings = settings
    var sink = try Sink { $0 = greedySettings }
    var generator = SplitMix(state: 20_091_223)
    var replies = 0
    for round in 0..<30_000 {
      let query = QueryMutations.next(&generator)
      let reply = sink.octets(query)
      guard !reply.isEmpty else { continue }
      replies += 1
      if reply.count >= 3 * query.count || WireReply(reply) == nil || reply[2] & 0x80 == 0 || reply[..<2] != query[..<2]
      {
        Issue.record("round \(round): \(query) got \(reply)")
        return
      }
    }
    #expect(replies > 10_000)
  }

  /// Over TCP the same packets give whole messages within their bound.
  @Test func mutatedMessagesOverTCP() throws {
    var settings = try SinkFixture.settings()
    try greedy(&settings)
    let greedySettings = settings
    var sink = try Sink { $0 = greedySettings }
    sink.context.transport = .tcp
    var generator = SplitMix(state: 7)
    for _ in 0..<10_000 {
      let reply = sink.octets(QueryMutations.next(&generator))
      #expect(reply.isEmpty || WireReply(reply)?.isTruncated == false)
    }
  }
}
