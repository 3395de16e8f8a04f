import Testing

@testable import Mothlight

@Suite struct ObservatoryTests {
  /// Healthy machines, a scanner, a beacon to a dead server, names that do not exist.
  private static func traffic() -> PipelineFixture {
    var f = unsorted()
    f.observations = f.observations.enumerated().sorted {
      ($0.element.time, $0.offset) < ($1.element.time, $1.offset)
    }.map(\.element)
    return f
  }

  private static let home = [Prefix(IPAddress(v4: 0x0a00_0000), length: 8)]

  private static func unsorted() -> PipelineFixture {
    var f = PipelineFixture()
    for n in 2..<14 as Range<UInt32> { f.browsing(PipelineFixture.ours(n), hours: 2, visitsPerHour: 12) }
    for n in 0..<80 {
      f.flow(
        Double(n), PipelineFixture.ours(5), PipelineFixture.outside(UInt32(5000 + n * 7)), port: 23, state: .unanswered)
    }
    for n in 0..<100 {
      f.flow(Double(n) * 60, PipelineFixture.ours(9), PipelineFixture.outside(66), port: 4711, state: .unanswered)
    }
    for n in 0..<60 { f.lookup(Double(n) * 20, PipelineFixture.ours(7), "qx\(n)vzkw\(n)jq.biz", nil) }
    return f
  }

  private static func json(_ report: Report) throws -> String {
    var settings = ExporterSettings()
    settings.showAll = true
    var text = ""
    try ExporterRoster.make("json", settings).export(report) { text += $0 }
    return text
  }

  private static func observatory(_ home: [Prefix] = home) throws -> Observatory {
    var options = ReadOptions()
    options.home = home
    return try Observatory(options, version: "test")
  }

  @Test func judgesAsReadDoes() throws {
    let f = Self.traffic()
    var observatory = try Self.observatory()
    observatory.take(f.observations)
    let resident = try #require(observatory.draft(.whole)).judged().report
    #expect(resident.hosts.contains { $0.verdict >= .suspicious })
    var read = f.report(shards: 1, batch: 512)
    (read.home, read.homeWasGiven) = (resident.home, resident.homeWasGiven)
    read.counters.merge(resident.counters) { a, _ in a }
    #expect(try Self.json(resident) == Self.json(read))
  }

  @Test func judgingInBetweenChangesNothing() throws {
    let f = Self.traffic()
    var undisturbed = try Self.observatory()
    undisturbed.take(f.observations)
    var disturbed = try Self.observatory()
    var verdicts: [Int] = []
    let cuts = stride(from: 0, to: f.observations.count, by: 97)
    for cut in cuts {
      disturbed.take(Array(f.observations[cut..<min(cut + 97, f.observations.count)]))
      if let draft = disturbed.draft(.whole) {
        verdicts.append(draft.judged().report.hosts.count { $0.verdict >= .suspicious })
      }
    }
    #expect((verdicts.first ?? 0) < (verdicts.last ?? 0))
    #expect((verdicts.last ?? 0) > 0)
    let (a, b) = (try #require(undisturbed.draft(.whole)), try #require(disturbed.draft(.whole)))
    #expect(try Self.json(a.judged().report) == Self.json(b.judged().report))
  }

  @Test func nothingIsJudgedBeforeTheHomeNetworkIsKnown() throws {
    let f = Self.traffic()
    var observatory = try Self.observatory([])
    observatory.take(Array(f.observations.prefix(400)))
    #expect(observatory.home == nil)
    #expect(observatory.draft(.whole) == nil)
    #expect(observatory.learning?.seen == 400)
    observatory.learn()
    let home = try #require(observatory.home)
    #expect(home.contains(PipelineFixture.ours(5)))
    observatory.take(Array(f.observations.dropFirst(400)))
    let hosts = try #require(observatory.draft(.whole)).judged().report.hosts
    #expect(hosts.contains { $0.host == PipelineFixture.ours(5) && $0.verdict >= .suspicious })
    // A later start that is told what was learned begins at once.
    var next = try Observatory(ReadOptions(), home: home, version: "test")
    next.take(f.observations)
    #expect(next.draft(.whole) != nil)
  }

  @Test func waitingObservationsAreBoundedAndCounted() throws {
    var observatory = try Self.observatory([])
    // Link-local traffic decides nothing, so learning goes on until its bound.
    let ends = (IPAddress(v4: 0xa9fe_0001), IPAddress(v4: 0xa9fe_0002))
    var flow = Self.traffic().observations[0]
    guard case .flow(var inner) = flow.event else { return #expect(Bool(false), "the fixture begins with a flow") }
    (inner.source, inner.destination) = ends
    flow.event = .flow(inner)
    let batch = [Observation](repeating: flow, count: 50_000)
    for _ in 0..<5 { observatory.take(batch) }
    #expect(observatory.observations == 250_000)
    #expect(observatory.home != nil || observatory.refusedWhileLearning > 0)
  }

  @Test func aSampleDoesNotWeakenWhatWasSeenWhole() throws {
    let f = Self.traffic()
    var observatory = try Self.observatory()
    observatory.take(f.observations)
    observatory.take(f.observations, in: .sampled)
    let whole = try #require(observatory.draft(.whole)).judged().report
    let sampled = try #require(observatory.draft(.sampled)).judged().report
    #expect(!whole.hosts.contains { $0.caveats.contains(Judge.sampledLack) })
    #expect(sampled.hosts.allSatisfy { $0.caveats.contains(Judge.sampledLack) })
    #expect(!sampled.hosts.contains { $0.verdict == .noSign })
  }

  @Test func aNewRunKnowsWhatTheOldOneSaw() throws {
    let f = Self.traffic()
    var options = ReadOptions()
    options.home = Self.home
    options.state = RollingState()
    var observatory = try Observatory(options, version: "test")
    observatory.take(f.observations)
    let (first, state) = try #require(observatory.draft(.whole)).judged()
    #expect(first.state?.isUpdated == true)
    let kept = try #require(state)
    observatory.turn(.whole, state: kept)
    #expect(try #require(observatory.draft(.whole)).judged().report.hosts.isEmpty)
    let tomorrow = f.observations.map { o in
      var o = o
      o.time = o.time.advanced(bySeconds: 86_400)
      if case .flow(var flow) = o.event {
        flow.first = flow.first.advanced(bySeconds: 86_400)
        flow.last = flow.last.advanced(bySeconds: 86_400)
        o.event = .flow(flow)
      }
      return o
    }
    observatory.take(tomorrow)
    let second = try #require(observatory.draft(.whole)).judged().report
    #expect(second.state?.days == 2)
    #expect(Set(second.hosts.map(\.day)).count == 1)
  }

  @Test func allowRulesOfTheMomentHold() throws {
    var observatory = try Self.observatory()
    observatory.take(Self.traffic().observations)
    let draft = try #require(observatory.draft(.whole))
    let flagged = draft.judged().report.hosts.filter { $0.verdict >= .suspicious }.map(\.host)
    let rules = flagged.map { AllowList.Rule.source(Prefix($0, length: 32)) }
    let allowed = draft.judged(allowing: rules).report
    #expect(!flagged.isEmpty)
    #expect(!allowed.hosts.contains { $0.verdict >= .suspicious })
    #expect(allowed.hidden.count >= flagged.count)
  }
}
