import Foundation
import Mothlight

/// Simulated traffic of an office, moved so that its last minutes are still to come: something to look at on the first day.
///
/// Nothing is sent; it is the simulator's output, handed to the pipeline as if an instrument had seen it. What lies before
/// now comes at once, the rest when its time has come; after its end the next day is simulated with another seed.
public struct DemoSource: LiveSource {
  public let name: String
  public let meter: SourceMeter
  private let clock: @Sendable () -> Timestamp
  /// How much of the simulated day lies before the start.
  private static let shareBefore = 0.9
  private static let batch = 512

  public init(name: String, clock: @escaping @Sendable () -> Timestamp) {
    self.name = name
    self.clock = clock
    meter = SourceMeter(name: name, kind: "demo", place: "simulated office of 34 machines", at: clock())
  }

  /// The home network of the simulated office.
  public static var home: Prefix? { Prefix(Scenario.builtin.home) }

  public func run(into sink: any ObservationSink) async throws(SourceError) {
    let began = clock()
    var scenario = Scenario.builtin
    var start = began.advanced(bySeconds: -Double(scenario.hours) * 3600 * Self.shareBefore)
    while !Task.isCancelled {
      let observations = try Self.simulated(scenario)
      guard let first = observations.first else { return }
      meter.enter(.running, at: clock())
      await play(observations, movedBy: start.seconds(since: first.time), into: sink)
      start = start.advanced(bySeconds: Double(scenario.hours) * 3600)
      scenario.seed &+= 1
    }
  }

  /// Simulated packets as the reader of captures gives them, so that what machines say is seen, too.
  private static func simulated(_ scenario: Scenario) throws(SourceError) -> [Observation] {
    let folder = FileManager.default.temporaryDirectory.appending(path: "mothlight-demo-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var scenario = scenario
    scenario.formats = [.pcap]
    let files: [String]
    do throws(SimulationError) { files = try Simulator(scenario).run(into: folder) } catch {
      throw SourceError(.toolFailed, "demo: \(error.message)")
    }
    guard let capture = files.first(where: { $0.hasSuffix(".pcap") }) else { return [] }
    let reader = try Inputs().open(path: capture)
    var out: [Observation] = []
    while try reader.read(into: &out, limit: 4096) {}
    // An instrument tells of a flow when it has ended.
    return out.enumerated().sorted { ($0.element.ended, $0.offset) < ($1.element.ended, $1.offset) }.map(\.element)
  }

  private func play(_ observations: [Observation], movedBy seconds: Double, into sink: any ObservationSink) async {
    var batch: [Observation] = []
    for observation in observations {
      let moved = observation.moved(bySeconds: seconds)
      while moved.ended > clock() {
        await hand(&batch, to: sink)
        try? await Task.sleep(for: .milliseconds(500))
        if Task.isCancelled { return }
      }
      batch.append(moved)
      if batch.count >= Self.batch { await hand(&batch, to: sink) }
      if Task.isCancelled { return }
    }
    await hand(&batch, to: sink)
  }

  private func hand(_ batch: inout [Observation], to sink: any ObservationSink) async {
    guard let newest = batch.last?.time else { return }
    let count = UInt64(batch.count)
    await sink.send(batch)
    batch.removeAll(keepingCapacity: true)
    meter.update { health in
      health.records &+= count
      health.used &+= count
      health.newest = newest
    }
  }
}

extension Observation {
  /// When an instrument has seen all of it.
  fileprivate var ended: Timestamp { if case .flow(let flow) = event { max(time, flow.last) } else { time } }

  /// The same at another time.
  func moved(bySeconds seconds: Double) -> Observation {
    var copy = self
    copy.time = time.advanced(bySeconds: seconds)
    if case .flow(var flow) = event {
      flow.first = flow.first.advanced(bySeconds: seconds)
      flow.last = flow.last.advanced(bySeconds: seconds)
      copy.event = .flow(flow)
    }
    return copy
  }
}
